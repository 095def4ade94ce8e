import { expect, test } from "bun:test";
import { isAlive } from "../../bench/kill.ts";
import { machineMs } from "../support/machine-time.ts";
import { field, RawClient } from "../support/raw-client.ts";
import { gunicorn, start, until, waitsForGo } from "../support/server.ts";
import { get } from "../support/wire.ts";

const okApp = `export const fetch = () => new Response("ok");`;

test("start, TTIN, TTOU and TERM write Gunicorn's lines", async () => {
  await using server = await gunicorn({ files: { "app.ts": okApp } });
  const from = server.log.length;
  server.kill("SIGTTIN");
  await server.logged("Booting worker", from);
  server.kill("SIGTTOU");
  await server.logged("Worker exiting", from);
  // By the second worker: one that is told to leave while it boots may not say that it exits.
  await (await fetch(server.url, { keepalive: false })).text();
  expect(await server.stop("SIGTERM")).toBe(0);
  const lines = server.log
    .split("\n")
    .map((line) =>
      line
        .replace(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] /, "")
        .replaceAll(/\d{3,}/g, "N"),
    );
  expect(lines).toEqual([
    expect.stringMatching(/^\[INFO\] Starting gunicorn-ts \d/),
    "[INFO] Listening at: http://N.0.0.1:N (N)",
    "[INFO] Using worker: async",
    "[INFO] Booting worker with pid: N",
    "[INFO] Handling signal: ttin",
    "[INFO] Booting worker with pid: N",
    "[INFO] Handling signal: ttou",
    "[INFO] Worker exiting (pid: N)",
    "[INFO] Handling signal: term",
    "[INFO] Worker exiting (pid: N)",
    "[INFO] Shutting down: Master",
    "",
  ]);
});

test.each(["SIGINT", "SIGQUIT"] as const)(
  "%s stops quickly, in the middle of a request",
  async (signal) => {
    const app = `export const fetch = (request) =>
    request.url.endsWith("/slow") ? new Promise(() => console.error("slow begins")) : new Response("ok");`;
    await using server = await gunicorn({ files: { "app.ts": app } });
    const cut = fetch(`${server.url}/slow`).catch(() => "cut");
    await server.logged("slow begins");
    expect(await server.stop(signal)).toBe(0);
    expect(await cut).toBe("cut");
    expect(server.log).toMatch(/Quick stop: 1 requests cut: GET \S+ for \d+\.\d s\n/);
  },
);

test("TERM lets a slow request finish, and says Connection: close", async () => {
  const app = `let release;
    export const fetch = async (request) => {
      if (request.url.endsWith("/release")) { release(); return new Response("released"); }
      if (!request.url.endsWith("/slow")) return new Response("ok");
      console.error("slow begins");
      await new Promise((resolve) => { release = resolve; });
      return new Response("done");
    };`;
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["--keep-alive", "300"] });
  using kept = await RawClient.connect(server.port);
  await kept.ask(get("/"));
  const slow = fetch(`${server.url}/slow`);
  await server.logged("slow begins");
  // One connection is free for it: new ones are dropped once the worker has been told.
  await (await fetch(server.url)).text();
  server.kill("SIGTERM");
  await until("the worker to be told", async () => {
    const answer = await fetch(server.url);
    await answer.text();
    return answer.headers.get("connection") === "close";
  });
  // A connection that was idle when the stop began still gets its request served.
  const released = await kept.ask(get("/release"));
  expect([released.status, released.reason]).toEqual([200, "OK"]);
  expect(field(released, "connection")).toBe("close");
  expect(released.body.toString()).toBe("released");
  const response = await slow;
  expect(response.headers.get("connection")).toBe("close");
  expect(await response.text()).toBe("done");
  expect(await server.process.exited).toBe(0);
});

test("graceful_timeout cuts what is left, and the log says how much", async () => {
  const app = `export const fetch = (request) =>
    request.url.endsWith("/slow") ? new Promise(() => console.error("slow begins")) : new Response("ok");`;
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["--graceful-timeout", "1"],
  });
  const cut = fetch(`${server.url}/slow`).catch(() => "cut");
  await server.logged("slow begins");
  expect(await server.stop()).toBe(0);
  expect(await cut).toBe("cut");
  expect(server.log).toMatch(
    /graceful_timeout: 1 connections with 1 requests cut after 1 s: GET \/slow for \d+\.\d s\n/,
  );
});

/** Slower than timeout. */
const blocking = `export const fetch = async (request) => {
  if (request.url.endsWith("/block")) { const end = performance.now() + 60000; while (performance.now() < end); }
  if (request.url.endsWith("/slow")) await Bun.sleep(5000);
  return new Response(String(process.pid));
};`;

test("a handler that blocks its event loop for longer than timeout is killed and replaced in time; a slow asynchronous one isn't", async () => {
  // A machine that others load may keep a worker from its heartbeat for a second.
  await using server = await gunicorn({ files: { "app.ts": blocking }, args: ["--timeout", "3"] });
  const [pid] = await server.settled(1);
  const slow = await fetch(`${server.url}/slow`);
  expect(await slow.text()).toBe(String(pid));
  const begun = machineMs();
  // Not by fetch(): Bun's sends the request again on another connection.
  using blocked = await RawClient.connect(server.port);
  blocked.send(get("/block"));
  await blocked.ended();
  const next = await fetch(server.url, { keepalive: false });
  const tookMs = machineMs() - begun;
  expect(await next.text()).not.toBe(String(pid));
  // timeout + 2 s, as the issue of this behaviour demands.
  expect(tookMs).toBeLessThan(5000);
  await server.logged(`[CRITICAL] WORKER TIMEOUT (pid:${pid})`);
  expect(await server.stop()).toBe(0);
}, 120_000);

test("workers whose master was killed drain and exit", async () => {
  await using server = await gunicorn({ files: { "app.ts": okApp }, args: ["-w", "2"] });
  const workers = await server.settled(2);
  server.kill("SIGKILL");
  await server.process.exited;
  await until("no worker is left", () => workers.every((pid) => !isAlive(pid)));
  await until("the whole log", () => server.ended());
  expect(server.log.match(/Parent changed, shutting down/g)).toHaveLength(2);
});

test("an error outside any request is logged, and the worker is replaced without a loss", async () => {
  const app = `export const fetch = (request) => {
    if (request.url.endsWith("/stray")) void Promise.reject(new Error("stray"));
    return new Response(String(process.pid));
  };`;
  await using server = await gunicorn({ files: { "app.ts": app } });
  const first = await (await fetch(server.url)).text();
  expect(await (await fetch(`${server.url}/stray`)).text()).toBe(first);
  await server.logged(/Unhandled exception in worker process\nError: stray/);
  await until("another worker", async () => (await (await fetch(server.url)).text()) !== first);
  expect(await server.stop()).toBe(0);
});

test("all hooks run at Gunicorn's moments, each in its process", async () => {
  const hooks = {
    onStarting: 1,
    onReload: 1,
    whenReady: 1,
    preFork: 2,
    postFork: 2,
    postWorkerInit: 1,
    workerInt: 1,
    workerAbort: 1,
    preRequest: 2,
    postRequest: 4,
    childExit: 2,
    workerExit: 2,
    nworkersChanged: 3,
    onExit: 1,
  };
  const config = Object.entries(hooks).map(([name, arity]) => {
    const parameters = ["a", "b", "c", "d"].slice(0, arity).join(", ");
    const facts = name === "nworkersChanged" ? " + ' ' + b + ' ' + c" : "";
    return `export const ${name} = (${parameters}) => console.error("hook ${name}"${facts});`;
  });
  await using server = await gunicorn({
    files: { "app.ts": okApp, "gunicorn.conf.ts": config.join("\n") },
  });
  const [pid] = await server.settled(1);
  server.kill("SIGHUP");
  await until("replaced", () => server.workers().every((each) => each !== pid));
  await server.logged("hook childExit");
  expect(await server.stop("SIGINT")).toBe(0);
  const order = [...server.log.matchAll(/hook (.*)/g)].map((found) => found[1]);
  expect(order).toEqual([
    "nworkersChanged 1 null",
    "onStarting",
    "whenReady",
    "preFork",
    "postFork",
    "postWorkerInit",
    "preRequest",
    "postRequest",
    "nworkersChanged 1 1",
    "onReload",
    "preFork",
    "postFork",
    "postWorkerInit",
    "workerExit",
    "childExit",
    "workerInt",
    "workerExit",
    "childExit",
    "onExit",
  ]);
});

test.each([
  ["onStarting", 1, /on purpose/],
  ["whenReady", 1, /on purpose/],
  ["preFork", 255, /Unhandled exception in main loop\n.*on purpose/],
  ["postFork", 3, /Exception in worker process\n.*on purpose[^]*Reason: Worker failed to boot\./],
  ["postWorkerInit", 3, /Exception in worker process\n.*on purpose/],
] as const)("a throwing %s ends the server with %d", async (name, code, says) => {
  const parameters = name === "preFork" || name === "postFork" ? "a, b" : "a";
  const config = `export const ${name} = (${parameters}) => { throw new Error("on purpose"); };`;
  await using server = start({ files: { "app.ts": okApp, "gunicorn.conf.ts": config } });
  expect(await server.process.exited).toBe(code);
  expect(server.log).toMatch(says);
});

test.each([
  ["promise", "async () => { await 1; throw new Error('later'); }"],
  ["timer", "() => void setTimeout(() => { throw new Error('later'); })"],
])(
  "a %s of a hook in the master that fails is in the log, and stops nothing",
  async (_name, hook) => {
    const files = { "app.ts": okApp, "gunicorn.conf.ts": `export const onReload = ${hook};` };
    await using server = await gunicorn({ files });
    const [pid] = await server.settled(1);
    server.kill("SIGHUP");
    await server.logged(/\[ERROR\] Unhandled exception in master process\nError: later/);
    await until("replaced", () => server.workers().every((each) => each !== pid));
    expect(await (await server.fetch()).text()).toBe("ok");
    expect(await server.stop()).toBe(0);
  },
);

test("TERM while workers boot: what waits in the queues is served before they leave", async () => {
  const app = `${waitsForGo}
    export const fetch = () => new Response("ok");`;
  await using server = start({ files: { "app.ts": app }, args: ["-w", "2"] });
  await server.logged("Using worker:");
  const waiting = Array.from({ length: 10 }, () => fetch(server.url, { keepalive: false }));
  await until("the connections wait", async () => {
    const queues = await Bun.file("/proc/net/tcp").text();
    const port = server.port.toString(16).toUpperCase().padStart(4, "0");
    // Two listening sockets, and both ends of each connection.
    return queues.split("\n").filter((line) => line.includes(`:${port} `)).length >= 22;
  });
  server.kill("SIGTERM");
  await server.logged("Handling signal: term");
  server.go();
  const answers = await Promise.all(waiting.map(async (each) => (await each).text()));
  expect(answers).toEqual(Array.from({ length: 10 }, () => "ok"));
  expect(await server.process.exited).toBe(0);
});
