import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { describeWith } from "../support/peers.ts";
import { rsyslogd, type SyslogInput } from "../support/rsyslogd.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";

setDefaultTimeout(120_000);

const app = `export const fetch = (request) => {
  if (request.url.endsWith("/throws")) throw new Error("on purpose");
  return new Response("ok");
};
`;

const config = `export function postWorkerInit({ log }) {
  log.critical("a critical word");
  log.warning("a word of warning");
  log.debug("a small word");
}
`;

const files = { "app.ts": app, "gunicorn.conf.ts": config };

async function ask({ url }: RunningServer, path: string): Promise<void> {
  await answerOf(url + path);
}

async function answerOf(url: string): Promise<string> {
  return (await fetch(url, { keepalive: false })).text();
}

/** A syslog server on UDP that keeps what it gets. */
async function udpEar() {
  const got: string[] = [];
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: { data: (_socket, data) => void got.push(data.toString()) },
  });
  return { got, address: `udp://127.0.0.1:${socket.port}`, [Symbol.dispose]: () => socket.close() };
}

describe("packets", () => {
  test("of error log and access log are Gunicorn's, also those of the end", async () => {
    using ear = await udpEar();
    {
      await using server = await gunicorn({
        files,
        args: ["--log-syslog", "--log-syslog-to", ear.address, "--log-syslog-facility", "local3"],
      });
      await ask(server, "/throws");
      expect(await server.stop()).toBe(0);
      // Beside the error log, not in its place.
      expect(server.log).toContain("[CRITICAL] a critical word");
    }
    await until("the last packet", () =>
      ear.got.some((packet) => packet.includes("Shutting down")),
    );
    for (const packet of ear.got) {
      expect(packet).toMatch(/^<\d+>gunicorn\.app\.(error|access): \[\d+\] [^\0]+\0$/);
    }
    const bare = ear.got.map((packet) => packet.replace(/\[\d+\]/, "[]").slice(0, -1));
    expect(bare).toContain("<158>gunicorn.app.error: [] Using worker: async");
    expect(bare).toContain("<154>gunicorn.app.error: [] a critical word");
    expect(bare).toContain("<156>gunicorn.app.error: [] a word of warning");
    expect(bare.filter((packet) => packet.includes("small word"))).toEqual([]);
    const stack = bare.filter((packet) => packet.startsWith("<155>"));
    expect(stack).toHaveLength(1);
    expect(stack[0]).toMatch(
      /Error handling request GET \/throws\nError: on purpose\n {4}at fetch/,
    );
    const access = bare.filter((packet) => packet.includes(".access: "));
    expect(access.at(-1)).toMatch(
      /^<158>gunicorn\.app\.access: \[\] 127\.0\.0\.1 - - \[.*\] "GET \/throws HTTP\/1\.1" 500 /,
    );
  });

  test.each([
    [["--log-syslog-prefix", "shop"], "gunicorn.shop.error"],
    [["--name", "a:b"], "gunicorn.a.b.error"],
  ])("with %j are from %s, and the access log stays out if it is to", async (args, name) => {
    using ear = await udpEar();
    {
      await using server = await gunicorn({
        files: { "app.ts": app },
        args: [
          "--log-syslog",
          "--disable-redirect-access-to-syslog",
          "--log-syslog-to",
          ear.address,
          ...args,
        ],
      });
      expect(await server.stop()).toBe(0);
    }
    await until("the last packet", () =>
      ear.got.some((packet) => packet.includes("Shutting down")),
    );
    expect(new Set(ear.got.map((packet) => /^<\d+>([^:]*):/.exec(packet)?.[1]))).toEqual(
      new Set([name]),
    );
  });

  test("without --log-syslog there are none", async () => {
    using ear = await udpEar();
    await using server = await gunicorn({
      files: { "app.ts": app },
      args: ["--log-syslog-to", ear.address],
    });
    expect(await server.stop()).toBe(0);
    expect(ear.got).toEqual([]);
  });
});

test.each([
  ["nobody at the port", "tcp://127.0.0.1:9"],
  ["nobody at the path", "unix:///nowhere/log"],
])("with %s the server serves, and stops, as always", async (_what, address) => {
  await using server = await gunicorn({
    files,
    args: ["--log-syslog", "--log-syslog-to", address],
  });
  for (let round = 0; round < 20; round++) expect(await answerOf(server.url)).toBe("ok");
  expect(await server.stop()).toBe(0);
  // Standard error has every line all the same.
  expect(server.log).toContain("[INFO] Booting worker with pid: ");
  expect(server.log).toEndWith("Shutting down: Master\n");
});

test.each([
  ["--log-syslog-to", "log:514", "must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH"],
  ["--log-syslog-facility", "local8", "unknown facility name 'local8'"],
  ["--statsd-host", "a:b:c", "Value must be one of ('host:port', 'unix://PATH')"],
])("%s %s ends the start with one line", async (flag, value, message) => {
  await using server = start({ files: { "app.ts": app }, args: [flag, value] });
  expect(await server.process.exited).toBe(1);
  await until("its complaint", () => server.ended());
  expect(server.log).toMatch(/^[^\n]+\n$/);
  expect(server.log).toContain(`${flag}: `);
  expect(server.log).toContain(message);
});

describeWith(["rsyslogd"], "rsyslogd", () => {
  const rows: [SyslogInput, string][] = [
    ["imudp", ""],
    ["imtcp", ""],
    ["imuxsock", ""],
    ["imudp", "#rfc5424"],
    ["imtcp", "#rfc5424"],
  ];
  test.each(rows)("files what comes by %s%s by facility and severity", async (input, form) => {
    await using daemon = await rsyslogd();
    const address = daemon.address(input) + form;
    await using server = await gunicorn({
      files,
      args: ["--log-syslog", "--log-syslog-to", address, "--log-syslog-facility", "local3"],
    });
    await ask(server, "/throws");
    expect(await server.stop()).toBe(0);
    const head = (logger: "error" | "access") =>
      form === ""
        ? `^gunicorn\\.app\\.${logger}: \\[\\d+\\]`
        : `^1 \\S+ \\S+ gunicorn\\.app \\d+ ${logger} -`;
    const expectOne = async (severity: string, logger: "error" | "access", text: string) => {
      const pattern = new RegExp(`${head(logger)} ${text}`);
      const filed = () => daemon.filed(input, `local3.${severity}`);
      await until(`${pattern} in local3.${severity}`, () =>
        filed().some((line) => pattern.test(line)),
      );
      expect(filed().filter((line) => pattern.test(line))).toHaveLength(1);
    };
    await expectOne("crit", "error", "a critical word$");
    await expectOne("warning", "error", "a word of warning$");
    await expectOne("info", "error", "Shutting down: Master$");
    await expectOne("info", "access", ".*GET /throws HTTP/1.1. 500 ");
    // One message, whose line feeds rsyslogd shows as it does.
    await expectOne(
      "err",
      "error",
      "Error handling request GET /throws#012Error: on purpose#012 {4}at fetch",
    );
    expect(daemon.filed(input, "local3.err")).toHaveLength(1);
    expect(daemon.filed(input, "local3.debug")).toEqual([]);
  });
});
