/** Whatever an app throws, rejects with or returns: the client has a 500, the log has a line, and the worker drains at once. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { strange } from "../fixtures/wire/strange.ts";
import { gunicorn, start, until } from "../support/server.ts";
import { get, kinds, useWire } from "../support/wire.ts";

const names = Object.keys(strange);
const source = readFileSync(join(import.meta.dir, "../fixtures/wire/strange.ts"), "utf8");

describe.each(kinds)("-k %s:", (kind) => {
  describe.each(["default", "failing"])("an app (%s) that", (name) => {
    const wire = useWire({ kind, app: "strange.ts", export: name });

    test.each([
      ...names.map((each) => `/now/${each}`),
      ...names.map((each) => `/later/${each}`),
      "/answer/revoked-answer",
      "/answer/traps-of-answer",
      "/answer/constructor-throws",
      "/later-answer/revoked-answer",
      "/later-answer/constructor-throws",
    ])("throws %s: 500, one line, and the connection goes on", async (path) => {
      using client = await wire.connect();
      const mark = wire.server.log.length;
      expect((await client.ask(get(path))).status).toBe(500);
      expect((await client.ask(get("/"))).body.toString()).toBe("hello");
      await wire.server.logged(`Error handling request GET ${path}`, mark);
      const said = wire.server.log.slice(mark);
      expect(said.length).toBeLessThan(70_000);
      expect(said.match(/\[ERROR\]/g)).toHaveLength(1);
    });
  });
});

describe("-k async: a stream that", () => {
  const wire = useWire({ kind: "async", app: "strange.ts", export: "default" });

  test.each(names)("fails with %s before its first byte: 500", async (name) => {
    using client = await wire.connect();
    const mark = wire.server.log.length;
    expect((await client.ask(get(`/stream/${name}`))).status).toBe(500);
    expect((await client.ask(get("/"))).body.toString()).toBe("hello");
    await wire.server.logged(`Error handling request GET /stream/${name}`, mark);
  });

  test.each(["status-throws", "headers-throw"])("has a Response whose %s", async (name) => {
    using client = await wire.connect();
    // Bun reads the native fields, we may read the subclass's: an answer either way, and no hang.
    expect([200, 500]).toContain((await client.ask(get(`/answer/${name}`))).status);
    expect([200, 500]).toContain((await client.ask(get(`/later-answer/${name}`))).status);
    expect((await client.ask(get("/"))).body.toString()).toBe("hello");
  });
});

describe.each(kinds)("-k %s: a Promise subclass that calls back twice, and throws", (kind) => {
  const wire = useWire({ kind, app: "strange.ts", export: "default" });

  test("is answered once", async () => {
    using client = await wire.connect();
    const mark = wire.server.log.length;
    expect((await client.ask(get("/twice"))).body.toString()).toBe("first");
    expect((await client.ask(get("/"))).body.toString()).toBe("hello");
    expect(wire.server.log.slice(mark)).toBe("");
  });
});

const revoked = "const { proxy, revoke } = Proxy.revocable({}, {}); revoke();";
const mute = `const mute = Object.defineProperty(new Error("x"), "message", { get() { throw 1; } });`;
const hello = `export const fetch = () => new Response("hello");`;

/** Where no request waits, a start that fails says what was thrown, not that looking at it has failed. */
test.each<[claim: string, app: string, config: string, said: RegExp]>([
  [
    "a configuration file",
    hello,
    `${revoked} throw proxy;`,
    /^Error: .*conf\.ts: <Revoked Proxy>$/m,
  ],
  [
    "a configuration file, an Error without a message",
    hello,
    `${mute} throw mute;`,
    /^Error: .*conf\.ts:1:\d+: \(its message can't be read\)$/m,
  ],
  [
    "a hook of the master",
    hello,
    `${revoked} export const whenReady = () => { throw proxy; };`,
    /^Thrown: a value of type object that can't be read$/m,
  ],
  [
    "a logger class",
    `${hello} ${revoked} export class Log { constructor() { throw proxy; } }`,
    `export const loggerClass = "./app:Log";`,
    /^Error: gunicorn\.conf\.ts: loggerClass: '.\/app:Log': Thrown: a value of type object that can't be read$/m,
  ],
  [
    "an app",
    `${revoked} throw proxy;`,
    "export const workers = 1;",
    /^Thrown: a value of type object that can't be read$/m,
  ],
])(
  "%s that throws what can't be looked at ends the start with what it was",
  async (...row) => {
    const [, app, config, said] = row;
    await using server = start({ files: { "app.ts": app, "gunicorn.conf.ts": config } });
    expect(await server.process.exited).not.toBe(0);
    await server.logged(said);
    expect(server.log).not.toContain("already been revoked");
  },
  120_000,
);

test.each(kinds)(
  "-k %s: outside any request, it is told, the worker is replaced, and TERM drains at once",
  async (kind) => {
    const app = `${source.replace("export default { fetch };", "")}
      const stray = (name: string) => strange[name]?.();
      export default { fetch(request: Request) {
        const [, how = "", name = ""] = new URL(request.url).pathname.split("/");
        if (how === "timer") setTimeout(() => { throw stray(name); });
        if (how === "promise") void Promise.reject(stray(name));
        return new Response("hello");
      } };`;
    await using server = await gunicorn({ args: ["-k", kind], files: { "app.ts": app } });
    for (const path of ["timer/stack-throws", "promise/revoked-error", "promise/holds-itself"]) {
      const [pid] = await server.settled(1);
      const mark = server.log.length;
      await fetch(`${server.url}/${path}`, { keepalive: false });
      await server.logged("Unhandled exception in worker process", mark);
      await until("another worker", () => {
        const pids = server.workers();
        return pids.length === 1 && pids[0] !== pid;
      });
      await until("an answer", async () => (await fetch(server.url).catch(() => null))?.ok);
    }
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("graceful_timeout");
  },
  120_000,
);
