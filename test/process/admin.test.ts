/** The admin server: health checks, who may read figures, and clients that want to be in its way. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { adminArgs, adminUrl, askAdmin, textOf } from "../support/admin.ts";
import { descriptorsOf } from "../support/descriptors.ts";
import { gunicorn, start, until, waitsForGo } from "../support/server.ts";

const app = `export const fetch = () => new Response("ok");`;
const files = { "app.ts": app };

async function statusAt(url: string, path: string, init: RequestInit = {}): Promise<number> {
  const response = await askAdmin(url, path, init);
  await response.arrayBuffer();
  return response.status;
}

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

describe("/ready", () => {
  test("is 503 while the server starts, and /live is 200 then too", async () => {
    await using server = start({ files: { "app.ts": `${waitsForGo} ${app}` }, args: adminArgs });
    const url = await adminUrl(server);
    expect(await statusAt(url, "/ready")).toBe(503);
    expect(await textOf(url, "/ready")).toBe("starting\n");
    expect(await statusAt(url, "/live")).toBe(200);
    server.go();
    await until("ready", async () => (await statusAt(url, "/ready")) === 200);
    expect(await textOf(url, "/ready")).toBe("ready\n");
  }, 120_000);

  test("is 503 from the moment that drain_delay begins, while requests are served", async () => {
    await using server = await gunicorn({ files, args: ["--drain-delay", "600", ...adminArgs] });
    const url = await adminUrl(server);
    expect(await statusAt(url, "/ready")).toBe(200);
    server.kill("SIGTERM");
    await server.logged("Handling signal: term");
    expect(await textOf(url, "/ready")).toBe("stopping\n");
    expect(await statusAt(url, "/ready")).toBe(503);
    expect(await statusAt(url, "/live")).toBe(200);
    expect(await (await server.fetch()).text()).toBe("ok");
    expect(await server.stop("SIGINT")).toBe(0);
  }, 120_000);

  test("is 200 during a reload, also when that fails", async () => {
    await using server = await gunicorn({ files, args: adminArgs });
    const url = await adminUrl(server);
    writeFileSync(join(server.folder, "app.ts"), "throw new Error('broken');");
    server.kill("SIGHUP");
    await server.logged("Reload failed");
    expect(await statusAt(url, "/ready")).toBe(200);
    expect(await textOf(url, "/metrics")).toContain("gunicorn_reload_failed 1\n");
    writeFileSync(join(server.folder, "app.ts"), app);
    server.kill("SIGHUP");
    await until("the reload", async () =>
      (await textOf(url, "/metrics")).includes("gunicorn_reload_failed 0\n"),
    );
    expect(await statusAt(url, "/ready")).toBe(200);
  }, 120_000);

  test("and the other pages answer while all workers are busy", async () => {
    const busy = `export const fetch = () => { for (;;) continue; };`;
    await using server = start({
      files: { "app.ts": busy },
      args: ["--timeout", "0", ...adminArgs],
    });
    const url = await adminUrl(server);
    await until("ready", async () => (await statusAt(url, "/ready")) === 200);
    // The end of the server ends it.
    void server.fetch().catch(() => null);
    await until("the request", async () =>
      (await textOf(url, "/metrics")).includes('gunicorn_requests_in_flight{slot="0"} 1\n'),
    );
    expect(await statusAt(url, "/live")).toBe(200);
  }, 120_000);
});

describe("a token", () => {
  const rows: readonly (readonly [
    from: string,
    args: readonly string[],
    env: Record<string, string>,
  ])[] = [
    ["a file", ["--admin-token-file", "token"], {}],
    ["the environment", [], { GUNICORN_ADMIN_TOKEN: "s3cret" }],
  ];
  test.each(rows)(
    "of %s is asked for by what shows figures, and workers don't see it",
    async (_from, args, env) => {
      const shows = `export const fetch = () => new Response(JSON.stringify(process.env));`;
      await using server = await gunicorn({
        files: { "app.ts": shows, token: "s3cret\n" },
        args: [...args, ...adminArgs],
        env,
      });
      const url = await adminUrl(server);
      for (const path of ["/metrics", "/stats"]) {
        const refused = await askAdmin(url, path);
        expect(refused.status).toBe(401);
        expect(refused.headers.get("www-authenticate")).toBe("Bearer");
        expect(await refused.text()).not.toContain("gunicorn");
        expect(await statusAt(url, path, bearer("s3cre"))).toBe(401);
        expect(await statusAt(url, path, bearer("s3crets"))).toBe(401);
        expect(await statusAt(url, path, { headers: { Authorization: "Basic s3cret" } })).toBe(401);
        expect(await statusAt(url, path, bearer("s3cret"))).toBe(200);
      }
      for (const path of ["/live", "/ready"]) expect(await statusAt(url, path)).toBe(200);
      expect(await (await server.fetch()).text()).not.toContain("s3cret");
      expect(server.log).not.toContain("s3cret");
    },
    120_000,
  );

  test("that a reload changes counts from then on", async () => {
    await using server = await gunicorn({
      files: { ...files, token: "one" },
      args: ["--admin-token-file", "token", ...adminArgs],
    });
    const url = await adminUrl(server);
    expect(await statusAt(url, "/stats", bearer("one"))).toBe(200);
    writeFileSync(join(server.folder, "token"), "two");
    server.kill("SIGHUP");
    await until(
      "the new token",
      async () => (await statusAt(url, "/stats", bearer("two"))) === 200,
    );
    expect(await statusAt(url, "/stats", bearer("one"))).toBe(401);
  }, 120_000);

  const warning = "[WARNING] admin_bind: whoever reaches";
  const token = { GUNICORN_ADMIN_TOKEN: "s3cret" };
  const addresses: readonly (readonly [
    what: string,
    address: string,
    env: Record<string, string>,
    warned: boolean,
  ])[] = [
    ["missing at all addresses: a warning", "0.0.0.0:0", {}, true],
    ["there at all addresses: no warning", "0.0.0.0:0", token, false],
    ["missing at the loopback: no warning", "127.0.0.1:0", {}, false],
    ["missing at a unix socket: no warning", "unix:admin.sock", {}, false],
  ];
  test.each(addresses)(
    "%s",
    async (_what, address, env, warned) => {
      await using server = start({ files, args: ["--admin-bind", address], env });
      await adminUrl(server);
      expect(server.log.includes(warning)).toBe(warned);
    },
    120_000,
  );
});

describe("/events", () => {
  interface Watcher {
    readonly status: number;
    /** Resolves with the next event; null at the end. */
    readonly next: () => Promise<string | null>;
    readonly leave: () => void;
  }

  async function watch(url: string, init: RequestInit = {}): Promise<Watcher> {
    const leaving = new AbortController();
    const response = await askAdmin(url, "/events", { signal: leaving.signal, ...init });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    return {
      status: response.status,
      next: async () => {
        const { done, value } = await reader.read();
        return done ? null : new TextDecoder().decode(value);
      },
      leave: () => leaving.abort(),
    };
  }

  test("are for so many at a time, whom silent clients don't drive out", async () => {
    await using server = await gunicorn({ files, args: adminArgs });
    const url = await adminUrl(server);
    const watchers = await Promise.all(Array.from({ length: 16 }, () => watch(url)));
    expect(watchers.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200));
    expect(await statusAt(url, "/events")).toBe(503);
    const { hostname, port } = new URL(url);
    for (let count = 0; count < 200; count += 1)
      await Bun.connect({ hostname, port: Number(port), socket: { data() {}, error() {} } });
    for (const { next } of watchers) {
      expect(await next()).toStartWith('data: {"at":');
      expect(await next()).toStartWith('data: {"at":');
    }
    for (const { leave } of watchers.slice(1)) leave();
    const late = await until("room", async () => {
      const watcher = await watch(url);
      return watcher.status === 200 ? watcher : null;
    });
    late.leave();
    watchers[0]?.leave();
  }, 120_000);

  test("end when the token changes", async () => {
    await using server = await gunicorn({
      files: { ...files, token: "one" },
      args: ["--admin-token-file", "token", ...adminArgs],
    });
    const url = await adminUrl(server);
    const { status, next } = await watch(url, bearer("one"));
    expect(status).toBe(200);
    writeFileSync(join(server.folder, "token"), "two");
    server.kill("SIGHUP");
    await until("the end", async () => (await next()) === null);
  }, 120_000);
});

describe("what refuses the start", () => {
  const rows: readonly (readonly [
    what: string,
    args: readonly string[],
    env: Record<string, string>,
    line: RegExp,
  ])[] = [
    [
      "TLS",
      ["--admin-bind", "https://127.0.0.1:0"],
      {},
      /admin-bind: must be HOST:PORT or unix:PATH, without TLS, got 'https:/,
    ],
    ["a descriptor", ["--admin-bind", "fd://5"], {}, /admin-bind: must be HOST:PORT or unix:PATH/],
    [
      "a port that is none",
      ["--admin-bind", "127.0.0.1:x"],
      {},
      /admin-bind: 'x' is not a valid port number/,
    ],
    [
      "an address of bind",
      ["-b", "127.0.0.1:18000", "--admin-bind", "127.0.0.1:18000"],
      {},
      /admin-bind: 127.0.0.1:18000 is an address of bind/,
    ],
    [
      "a token without an address",
      ["--admin-token-file", "token"],
      {},
      /admin-token-file: needs admin_bind/,
    ],
    [
      "two tokens",
      ["--admin-token-file", "token", ...adminArgs],
      { GUNICORN_ADMIN_TOKEN: "a" },
      /admin-token-file: can't be set beside GUNICORN_ADMIN_TOKEN/,
    ],
    [
      "a token file that isn't there",
      ["--admin-token-file", "nothing", ...adminArgs],
      {},
      /--admin-token-file: \S+\/nothing: doesn't exist/,
    ],
    [
      "an empty token file",
      ["--admin-token-file", "empty", ...adminArgs],
      {},
      /--admin-token-file: \S+\/empty: must hold a token, it is empty/,
    ],
    [
      "a token that no client can send",
      ["--admin-token-file", "spaced", ...adminArgs],
      {},
      /--admin-token-file: \S+\/spaced: must be letters/,
    ],
    [
      "one of the environment",
      adminArgs,
      { GUNICORN_ADMIN_TOKEN: "a b" },
      /GUNICORN_ADMIN_TOKEN: must be letters/,
    ],
  ];
  test.each(rows)(
    "%s",
    async (_what, args, env, line) => {
      const all = { ...files, token: "a", empty: "\n", spaced: "a b" };
      for (const extra of [[], ["--check-config"]]) {
        await using server = start({ files: all, args: [...args, ...extra], env });
        expect(await server.process.exited).toBe(1);
        expect(server.log).toMatch(line);
      }
    },
    120_000,
  );
});

test("an address in use keeps nothing from serving, and is taken when it is free", async () => {
  const port = freePort();
  const holder = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  await using server = await gunicorn({ files, args: ["--admin-bind", `127.0.0.1:${port}`] });
  await server.logged(/\[ERROR\] admin_bind: Connection in use: \('127.0.0.1', \d+\)/);
  holder.stop(true);
  expect(await textOf(await adminUrl(server), "/ready")).toBe("ready\n");
  expect(server.log.match(/admin_bind: Connection in use/g)).toHaveLength(1);
}, 120_000);

test("a folder that isn't there yet is told of once, and its socket is taken when it is", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-admin-"));
  const path = join(folder, "run/admin.sock");
  await using server = await gunicorn({ files, args: ["--admin-bind", `unix:${path}`] });
  await server.logged(`(the folder ${folder}/run doesn't exist); tried again until it can be had`);
  mkdirSync(join(folder, "run"));
  await server.logged(`Admin server at: unix:${path}`);
  expect(server.log.match(/admin_bind: /g)).toHaveLength(1);
  expect(await server.stop()).toBe(0);
  rmSync(folder, { recursive: true });
}, 120_000);

describe("clients that are in the way", () => {
  type Socket = Bun.Socket<undefined>;

  async function connectTo(
    url: string,
    said: string,
  ): Promise<{ socket: Socket; heard: () => string; closed: () => boolean }> {
    let text = "";
    let ended = false;
    const { hostname, port } = new URL(url);
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_, bytes) => void (text += bytes.toString("latin1")),
        close: () => void (ended = true),
        error: () => {},
      },
    });
    if (said !== "") socket.write(said);
    return { socket, heard: () => text, closed: () => ended };
  }

  const request = "GET /live HTTP/1.1\r\nHost: a\r\n";
  const bad: readonly (readonly [what: string, said: string, status: number])[] = [
    ["garbage", "\x00\x01\x02\r\n\r\n", 400],
    ["TLS", "\x16\x03\x01\x02\x00\x01", 400],
    ["a long request line", `GET /${"a".repeat(4000)} HTTP/1.1\r\n\r\n`, 414],
    ["a request line that never ends", "GET /" + "a".repeat(4000), 414],
    ["a long field", `${request}X: ${"a".repeat(5000)}\r\n\r\n`, 431],
    ["many fields", `${request}${"X: a\r\n".repeat(100)}\r\n`, 431],
    ["a large head of small fields", `${request}${`X: ${"a".repeat(1000)}\r\n`.repeat(60)}`, 431],
    ["two requests", `${request}\r\n${request}\r\n`, 200],
    ["a body", `POST /live HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf`, 405],
    ["HTTP/1.0", "GET /live HTTP/1.0\r\n\r\n", 200],
    ["no Host", "GET /live HTTP/1.1\r\n\r\n", 400],
  ];
  test("get one answer, and the end of the connection", async () => {
    await using server = await gunicorn({ files, args: adminArgs });
    const url = await adminUrl(server);
    for (const [what, said, status] of bad) {
      const client = await connectTo(url, said);
      await until(`the end of ${what}`, client.closed);
      expect({ what, answers: client.heard().match(/HTTP\/1.1 \d+/g) }).toEqual({
        what,
        answers: [`HTTP/1.1 ${status}`],
      });
    }
  }, 120_000);

  test("and say nothing, by the thousand: descriptors are bounded, and health checks answered", async () => {
    await using server = await gunicorn({ files, args: adminArgs });
    const url = await adminUrl(server);
    const before = descriptorsOf(server.pid).length;
    const clients: Awaited<ReturnType<typeof connectTo>>[] = [];
    for (let count = 0; count < 1000; count += 1) {
      clients.push(await connectTo(url, count % 2 === 0 ? "" : "GET /metrics HTTP/1.1\r\nX: "));
      if (count % 100 === 0) expect(await statusAt(url, "/ready")).toBe(200);
    }
    await until(
      "the oldest to be cut",
      () => clients.filter(({ closed }) => closed()).length >= 872,
    );
    expect(descriptorsOf(server.pid).length).toBeLessThanOrEqual(before + 140);
    expect(await (await server.fetch()).text()).toBe("ok");
    // The others have so many seconds.
    await until("all to be cut", () => clients.every(({ closed }) => closed()));
    await until("their descriptors", () => descriptorsOf(server.pid).length <= before + 1);
  }, 120_000);
});
