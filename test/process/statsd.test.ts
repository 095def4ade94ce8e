import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { receiver } from "../support/notify-receiver.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";
import { testUnless } from "../support/wire.ts";

// Metrics take up to a second, and some tests wait for several.
setDefaultTimeout(120_000);

const onLinux = process.platform === "linux";

const app = `import { log } from "${join(import.meta.dir, "../../src/index.ts")}";
export const fetch = (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/missing") log.info("", { metric: "app.missed", value: 1, mtype: "counter" });
  if (pathname === "/throws") throw new Error("on purpose");
  return new Response("ok", { status: pathname === "/missing" ? 404 : 200 });
};
`;

/** The first worker says what an app may say. */
const config = `export function postWorkerInit({ log, age }) {
  if (age > 1) return;
  log.info("", { metric: "app.users", value: 1.2, mtype: "gauge" });
  log.debug("not shown", { metric: "app.none", value: 0, mtype: "gauge" });
  log.info("shown", { metric: "app.sold", value: 3, mtype: "counter" });
  log.info("", { metric: "app.size", value: 512, mtype: "histogram" });
  log.info("", { metric: "app.took", value: 20.5, mtype: "timer" });
  log.info("", { metric: "app.unknown", value: 1, mtype: "set" });
  log.critical("critical");
  log.error("error");
  log.warning("warning");
}
export function whenReady({ log }) {
  log.info("", { metric: "master.ready", value: 1, mtype: "gauge" });
}
`;

const files = { "app.ts": app, "gunicorn.conf.ts": config };

/** A statsD server that keeps the lines of what it gets. */
class Ear implements Disposable {
  readonly lines: string[] = [];
  readonly sizes: number[] = [];
  #socket: Bun.udp.Socket<"buffer"> | null = null;

  static async open(): Promise<Ear> {
    const ear = new Ear();
    ear.#socket = await Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: {
        data(_socket, data) {
          ear.sizes.push(data.length);
          ear.lines.push(...data.toString().split("\n"));
        },
      },
    });
    return ear;
  }

  get address(): string {
    return `127.0.0.1:${this.#socket?.port}`;
  }

  async heard(line: string): Promise<void> {
    await until(`the metric ${line}`, () => this.lines.includes(line)).catch((error: Error) => {
      throw new Error(`${error.message}\n--- metrics:\n${this.lines.join("\n")}`);
    });
  }

  /** What has been heard, each line once, durations apart. */
  get kinds(): string[] {
    const lines = this.lines.map((line) =>
      line.replace(/(request\.duration:)\d+\.\d+\|/, "$1<ms>|"),
    );
    return [...new Set(lines)].sort();
  }

  [Symbol.dispose](): void {
    this.#socket?.close();
  }
}

async function ask({ url }: RunningServer, ...paths: readonly string[]): Promise<void> {
  for (const path of paths) await (await fetch(url + path, { keepalive: false })).arrayBuffer();
}

/** All metrics that a run of the server has, with what stands before and behind them. */
function expectedKinds(prefix: string, tags: string): string[] {
  const lines = [
    "app.missed:1|c|@1.0",
    "app.none:0|g",
    "app.size:512|h",
    "app.sold:3|c|@1.0",
    "app.took:20.5|ms",
    "app.users:1.2|g",
    "master.ready:1|g",
    "gunicorn.log.critical:1|c|@1.0",
    "gunicorn.log.error:1|c|@1.0",
    "gunicorn.log.exception:1|c|@1.0",
    "gunicorn.log.warning:1|c|@1.0",
    "gunicorn.request.duration:<ms>|ms",
    "gunicorn.request.status.200:1|c|@1.0",
    "gunicorn.request.status.404:1|c|@1.0",
    "gunicorn.request.status.500:1|c|@1.0",
    "gunicorn.requests:1|c|@1.0",
    "gunicorn.workers:0|g",
    "gunicorn.workers:1|g",
    "gunicorn.workers:2|g",
  ];
  return lines.map((line) => prefix + line + tags).sort();
}

test.each([
  ["plain", [], "", ""],
  [
    "with prefix and tags",
    ["--statsd-prefix", "svc", "--dogstatsd-tags", "a:b,c"],
    "svc.",
    "|#a:b,c",
  ],
])("every metric arrives, byte for byte, %s", async (_what, args, prefix, tags) => {
  using ear = await Ear.open();
  {
    await using server = start({ files, args: ["--statsd-host", ear.address, ...args] });
    await server.logged("[CRITICAL] critical");
    await ask(server, "/", "/missing", "/throws");
    await ear.heard(`${prefix}gunicorn.workers:1|g${tags}`);
    server.kill("SIGTTIN");
    await ear.heard(`${prefix}gunicorn.workers:2|g${tags}`);
    server.kill("SIGTTOU");
    await until("the second worker's end", () => server.log.match(/Worker exiting/g)?.length === 1);
    expect(await server.stop()).toBe(0);
    expect(server.log).toContain("[INFO] shown\n");
    expect(server.log).not.toContain("not shown");
  }
  await ear.heard(`${prefix}gunicorn.workers:0|g${tags}`);
  expect(ear.kinds).toEqual(expectedKinds(prefix, tags));
  const gauges = ear.lines.filter((line) => line.includes("gunicorn.workers:"));
  expect(gauges.map((line) => /:(\d)/.exec(line)?.[1]).join("")).toBe("1210");
  const count = (what: string) => ear.lines.filter((line) => line.includes(what)).length;
  expect([count("gunicorn.requests:"), count("request.duration:"), count(".status.")]).toEqual([
    3, 3, 3,
  ]);
});

test("many metrics share a datagram, and none is lost", async () => {
  using ear = await Ear.open();
  {
    await using server = await gunicorn({
      files: { "app.ts": app },
      args: ["-w", "2", "--statsd-host", ear.address],
    });
    const { url } = server;
    const rounds = Array.from({ length: 10 }, async () => {
      for (let round = 0; round < 50; round++) await (await fetch(url)).arrayBuffer();
    });
    await Promise.all(rounds);
    expect(await server.stop()).toBe(0);
  }
  // gunicorn() has asked once, at least.
  const counts = () =>
    ear.lines.map((line) => /^gunicorn\.requests:(\d+)\|c\|@1\.0$/.exec(line)?.[1]);
  const requests = () => counts().reduce((sum, count) => sum + Number(count ?? 0), 0);
  await until("all requests", () => requests() > 500);
  expect(requests()).toBeLessThan(510);
  expect(Math.max(...ear.sizes)).toBeLessThanOrEqual(1432);
  expect(ear.sizes.length).toBeLessThan(ear.lines.length / 5);
});

testUnless(!onLinux)("metrics go to a unix socket too, also one that comes late", async () => {
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["--statsd-host", "unix://statsd.sock", "--statsd-prefix", "svc"],
  });
  await using ear = await receiver(join(server.folder, "statsd.sock")).catch((error) => {
    throw new Error(`${error}\n${server.log}`);
  });
  await ask(server, "/missing");
  await ear.heard(
    /svc\.gunicorn\.requests:1\|c\|@1\.0\nsvc\.gunicorn\.request\.status\.404:1\|c\|@1\.0/,
  );
});

test.each([
  ["a closed port", "127.0.0.1:9"],
  ["a path where nothing is", "unix:///nowhere/statsd.sock"],
])("%s changes nothing", async (_what, address) => {
  const lines: string[][] = [];
  for (const args of [[], ["--statsd-host", address]]) {
    await using server = await gunicorn({ files, args });
    await ask(server, "/", "/missing", "/throws");
    // More than a datagram holds, so that some are sent meanwhile.
    await ask(server, ...Array<string>(50).fill("/"));
    expect(await server.stop()).toBe(0);
    const text = server.log.replaceAll(/^\[[^\]]*\]|\d{3,}|gunicorn-ts-test-\w+/gm, "");
    lines.push(text.split("\n").sort());
  }
  expect(lines[1]).toEqual(lines[0] ?? []);
});

testUnless(!onLinux)("the backlog is what waits in the queues of all slots", async () => {
  using ear = await Ear.open();
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["-w", "2", "--statsd-host", ear.address, "--enable-backlog-metric"],
  });
  await ear.heard("gunicorn.backlog:0|h");
  const workers = await server.settled(2);
  for (const pid of workers) process.kill(pid, "SIGSTOP");
  const socket = { data() {} };
  const { port } = server;
  const clients = await Promise.all(
    Array.from({ length: 7 }, () => Bun.connect({ hostname: "127.0.0.1", port, socket })),
  );
  await ear.heard("gunicorn.backlog:7|h");
  for (const client of clients) client.end();
  for (const pid of workers) process.kill(pid, "SIGCONT");
  const before = ear.lines.length;
  await until("empty queues", () => ear.lines.slice(before).includes("gunicorn.backlog:0|h"));
});

test("the backlog can't be measured where workers own the sockets", async () => {
  await using server = start({
    files: { "app.ts": app },
    args: ["-k", "serve", "--enable-backlog-metric"],
  });
  expect(await server.process.exited).toBe(1);
  await until("its complaint", () => server.ended());
  expect(server.log).toContain("--enable-backlog-metric: can't be set with worker class serve");
});

test("a reload takes the metrics to another server, which hears how many workers there are", async () => {
  using before = await Ear.open();
  using after = await Ear.open();
  const settings = (ear: Ear) => `export const statsdHost = "${ear.address}";\n`;
  await using server = await gunicorn({
    files: { "app.ts": app, "gunicorn.conf.ts": settings(before) },
    args: ["-w", "2"],
  });
  await before.heard("gunicorn.workers:2|g");
  await Bun.write(join(server.folder, "gunicorn.conf.ts"), settings(after));
  server.kill("SIGHUP");
  await after.heard("gunicorn.workers:2|g");
  await until("requests there", async () => {
    await ask(server, "/");
    return after.lines.some((line) => line.startsWith("gunicorn.requests:"));
  });
});
