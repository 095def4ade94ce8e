/** Recycling, drain_delay and the death of a master, with real workers. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Load } from "../support/loads/load.ts";
import { machineMs } from "../support/machine-time.ts";
import { childrenOf, gunicorn, until } from "../support/server.ts";

const okApp = `export const fetch = () => new Response("ok");`;

test("max_memory: a worker that grows is replaced, and the log says how large it was", async () => {
  await using server = await gunicorn({
    files: {
      "app.ts": `const kept = [];
export const fetch = (request) => {
  if (request.url.endsWith("/grow")) kept.push(new Uint8Array(64 << 20).fill(1));
  return new Response("ok");
};
`,
    },
    args: ["--max-memory", "90M"],
  });
  const [before] = server.workers();
  await (await fetch(`${server.url}/grow`)).text();
  await server.logged(/Worker \(pid:\d+\) uses \d+ bytes of memory, more than max_memory/);
  await until("a successor", () => {
    const now = server.workers();
    return now.length === 1 && now[0] !== before;
  });
  expect(await server.stop()).toBe(0);
}, 120_000);

test("max_memory below what the app needs is told once, and workers are replaced more and more slowly", async () => {
  await using server = await gunicorn({
    files: { "app.ts": `export const all = new Uint8Array(96 << 20).fill(1);\n${okApp}` },
    args: ["--max-memory", "80M"],
  });
  await server.logged(/max_memory is 83886080 bytes, and a new worker needs more: 1\d{8} bytes/);
  await server.logged(/Worker of slot 0 failed 2 times in a row, next start in 0.5 s/);
  expect(await (await fetch(server.url)).text()).toBe("ok");
  expect(await server.stop()).toBe(0);
  expect(server.log.match(/a new worker needs more/g)).toHaveLength(1);
}, 120_000);

test("drain_delay: after TERM new connections are answered for that long, each with Connection: close", async () => {
  await using server = await gunicorn({
    files: { "app.ts": okApp },
    args: ["-w", "2", "--drain-delay", "2"],
  });
  const begin = performance.now();
  server.kill("SIGTERM");
  await server.logged("Handling signal: term");
  let closing = 0;
  await until("the end of the delay", async () => {
    const response = await fetch(server.url, { keepalive: false }).catch(() => null);
    if (response === null) return true;
    expect(await response.text()).toBe("ok");
    if (response.headers.get("connection") === "close") closing += 1;
    return false;
  });
  expect(performance.now() - begin).toBeGreaterThanOrEqual(2000);
  expect(closing).toBeGreaterThan(0);
  expect(await server.process.exited).toBe(0);
});

test("QUIT during drain_delay stops at once", async () => {
  await using server = await gunicorn({
    files: { "app.ts": okApp },
    args: ["--drain-delay", "600"],
  });
  server.kill("SIGTERM");
  await server.logged("Handling signal: term");
  expect(await server.stop("SIGQUIT")).toBe(0);
});

test("kill -9 of the master under load leaves no process after graceful_timeout + 2 s, and no file in the way", async () => {
  const bind = ["127.0.0.1:0", "unix:socket"];
  const args = ["-w", "3", "-p", "pid", "--graceful-timeout", "2"];
  const files = { "app.ts": okApp };
  await using server = await gunicorn({ files, args, bind });
  const load = new Load({ port: server.port, fresh: 4, kept: 4, expected: "ok" });
  await load.more(500);
  const workers = server.workers();
  const killed = machineMs();
  process.kill(server.pid, "SIGKILL");
  const stopped = load.stop();
  await until("the workers gone", () => workers.every((pid) => !existsSync(`/proc/${pid}`)));
  expect(machineMs() - killed).toBeLessThan(4000);
  await stopped;
  expect(existsSync(join(server.folder, "pid"))).toBe(true);
  expect(existsSync(join(server.folder, "socket"))).toBe(true);
  const { port, folder } = server;
  await using next = await gunicorn({
    folder,
    args,
    bind: [`127.0.0.1:${port}`, "unix:socket"],
  });
  expect(await (await fetch(next.url, { unix: join(folder, "socket") })).text()).toBe("ok");
  expect(Number(readFileSync(join(folder, "pid"), "utf8"))).toBe(next.pid);
  expect(await next.stop()).toBe(0);
}, 120_000);

test("two masters of one app side by side: the second finds the port in use, the first doesn't notice", async () => {
  await using server = await gunicorn({ files: { "app.ts": okApp } });
  writeFileSync(join(server.folder, "other.ts"), okApp);
  const before = childrenOf(server.pid);
  const second = Bun.spawnSync(
    [
      process.execPath,
      join(import.meta.dir, "../../bin/gunicorn-ts.ts"),
      "-b",
      new URL(server.url).host,
      "other",
    ],
    { cwd: server.folder },
  );
  expect(second.exitCode).toBe(1);
  expect(second.stderr.toString()).toContain("Connection in use: ('127.0.0.1', ");
  expect(childrenOf(server.pid)).toEqual(before);
  expect(await server.stop()).toBe(0);
}, 120_000);
