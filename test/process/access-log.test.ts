/** Access logs as operators have them: read by a log analyser, of a unix socket, as JSON, and refused formats. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCombined, unescapeText } from "../support/access-lines.ts";
import { describeWith } from "../support/peers.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";
import { get, requestText } from "../support/wire.ts";

const files = { "app.ts": `export const fetch = () => new Response("hello");\n` };
const args = ["--access-logfile", "access.log"];

function linesOf(server: RunningServer): string[] {
  return readFileSync(join(server.folder, "access.log"), "utf8").split("\n").slice(0, -1);
}

const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
/** What a field may hold. */
const fieldText = bytes
  .filter((byte) => byte === "\t" || (byte >= " " && byte !== "\x7f"))
  .join("");
const basic = Buffer.from(`${bytes.join("").replace(":", "")}:x`, "latin1").toString("base64");

describeWith(["goaccess"], "goaccess", () => {
  test("reads every line of the default format", async () => {
    await using server = await gunicorn({ files, args });
    const requests = [
      get("/"),
      get("/", `Referer: http://x/${fieldText}z`, `User-Agent: a${fieldText}z`),
      get("/%22%0a?a=%00", `Authorization: Basic ${basic}`),
      get(`/${bytes.slice(0x80).join("")}"\\`),
      requestText("DELETE", "/"),
      "\x16\x03\x01\x02",
      'no "request" at all\r\n\r\n',
      "GET / HTTP/1.1\r\n\r\n",
    ];
    for (const request of requests) {
      using client = await RawClient.connect(server.port);
      await client.ask(request);
    }
    await until("all lines", () => linesOf(server).length > requests.length);
    await server.stop();
    for (const line of linesOf(server)) parseCombined(line);
    const log = join(server.folder, "access.log");
    const report = join(server.folder, "report.json");
    const command = ["goaccess", log, "--log-format=COMBINED", "--no-global-config", "-o", report];
    const { exitCode, stderr } = Bun.spawnSync(command, { env: { PATH: process.env["PATH"] } });
    expect(stderr.toString()).not.toContain("rror");
    expect(exitCode).toBe(0);
    const { general } = JSON.parse(readFileSync(report, "utf8")) as {
      general: Record<string, number>;
    };
    expect(general["failed_requests"]).toBe(0);
    expect(general["total_requests"]).toBe(linesOf(server).length);
  });
});

describe("the access log", () => {
  test("of a unix socket has - for the client", async () => {
    await using server = start({ files, args, bind: ["unix:socket"] });
    await server.logged("Booting worker");
    const unix = join(server.folder, "socket");
    await until("an answer", () => fetch("http://localhost/x", { unix }).catch(() => null));
    const line = await until("a line", () => linesOf(server)[0]);
    expect(parseCombined(line)).toMatchObject({ host: "-", request: "GET /x HTTP/1.1" });
  });

  test("as JSON has one object for each line, whatever was sent", async () => {
    await using server = await gunicorn({ files, args: [...args, "--log-format", "json"] });
    using client = await RawClient.connect(server.port);
    await client.ask(get(`/a"\\?b=c`, `User-Agent: a${fieldText}z`, "Referer: é"));
    const lines = await until("two lines", () => {
      const found = linesOf(server);
      return found.length > 1 ? found : null;
    });
    const fields = JSON.parse(lines.at(-1) as string) as Record<string, unknown>;
    const { time, pid, duration_us: duration, user_agent: agent, ...rest } = fields;
    expect([typeof time, typeof pid, typeof duration]).toEqual(["string", "number", "number"]);
    expect(unescapeText(String(agent))).toBe(`a${fieldText}z`);
    expect(rest).toEqual({
      logger: "gunicorn.access",
      remote_addr: "127.0.0.1",
      user: null,
      method: "GET",
      path: '/a"\\',
      query: "b=c",
      protocol: "HTTP/1.1",
      status: 200,
      bytes: 5,
      referer: "\\xe9",
      host: "test",
      tls_protocol: null,
      tls_cipher: null,
      tls_client: null,
      trace_id: null,
      span_id: null,
    });
  });

  test.each([
    ["%(h)s %(x)s", "unknown atom %(x)s at position 7"],
    ["%(h)s %(h", "an unclosed %( at position 7"],
    ["%(h)d", "%(h)d isn't a number at position 1"],
  ])("with the format %p is refused at the start", async (format, message) => {
    await using server = start({ files, args: [...args, "--access-logformat", format] });
    expect(await server.process.exited).toBe(1);
    await until("the output", () => server.ended());
    expect(server.log).toContain(message);
    expect(server.log).not.toContain("Listening at");
  });

  test("knows slow requests: one warning with all facts", async () => {
    const app = `export const fetch = async (request) => {
  if (new URL(request.url).pathname !== "/") await Bun.sleep(120); // above the limit
  return new Response("late", { status: 202 });
};\n`;
    const slow = { files: { "app.ts": app }, args: ["--slow-request-log", "100"] };
    await using server = await gunicorn(slow);
    const [worker] = await server.settled(1);
    using client = await RawClient.connect(server.port);
    const asked = performance.now();
    await client.ask(get(`/slow"?secret`));
    await server.logged("Slow request GET /slow");
    // The server may take its time between the answer and the line.
    const waitedMs = performance.now() - asked;
    // On a loaded machine the request of the start may be slow, too.
    const found = server.log.match(/\[WARNING\] Slow request GET \/slow.*/g) ?? [];
    expect(found).toHaveLength(1);
    const line = new RegExp(
      String.raw`\] Slow request GET /slow\\" (\d+) ms status 202 pid ${worker}$`,
    );
    expect(found[0]).toMatch(line);
    const toldMs = Number(line.exec(found[0] ?? "")?.[1]);
    expect(toldMs).toBeGreaterThanOrEqual(100);
    expect(toldMs).toBeLessThanOrEqual(Math.ceil(waitedMs));
  });
});
