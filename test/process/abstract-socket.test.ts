import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { curl } from "../support/peers.ts";
import { gunicorn, start, until } from "../support/server.ts";

const app = `export const fetch = (request, server) => Response.json({
  pid: process.pid, url: request.url, peer: server.requestIP(request),
  address: server.address, serverUrl: String(server.url), port: server.port ?? null,
});`;
const files = { "app.ts": app };

interface Facts {
  readonly pid: number;
}

/** One for each test, since the whole machine shares them. */
let count = 0;
function newName(): string {
  count += 1;
  return `gunicorn-ts-test-${process.pid}-${count}`;
}

async function pidAt(name: string): Promise<number | null> {
  const asked = fetch("http://test/", { unix: `\0${name}`, keepalive: false });
  const response = await asked.catch(() => null);
  return response === null ? null : ((await response.json()) as Facts).pid;
}

test("bind = unix:@NAME is an abstract socket: curl and fetch, the log, HUP, and no file", async () => {
  const name = newName();
  await using server = start({
    files,
    bind: [`unix:@${name}`],
    args: ["-w", "2", "--access-logfile", "-"],
  });
  await server.logged(new RegExp(`Listening at: unix:@${name} \\(\\d+\\)`));
  await until("an answer", () => pidAt(name));
  const { code, output } = await curl(["--abstract-unix-socket", name, "http://example.com/a?b"]);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toEqual({
    pid: expect.any(Number),
    url: "http://example.com/a?b",
    peer: null,
    address: `\0${name}`,
    serverUrl: `abstract://${name}`,
    port: null,
  });
  await server.logged(/^- - - .*"GET \/a\?b HTTP\/1\.1" 200/m);
  expect(existsSync(join(server.folder, `@${name}`))).toBe(false);
  // While other sockets come and go, a look into the table can miss one.
  await until("the name in the table", () =>
    readFileSync("/proc/net/unix", "latin1").includes(` @${name}\n`),
  );
  const before = await server.settled(2);
  server.kill("SIGHUP");
  const others = await until("other workers", async () => {
    const pid = await pidAt(name);
    expect(pid).not.toBeNull();
    const isOld = pid === null || before.includes(pid);
    return isOld || server.workers().some((each) => before.includes(each)) ? null : pid;
  });
  expect(server.workers()).toContain(others);
  expect(await server.stop()).toBe(0);
  expect(await pidAt(name)).toBeNull();
}, 120_000);

test("an abstract socket passes on to the new master of USR2", async () => {
  const name = newName();
  await using server = start({ files, bind: [`unix:@${name}`] });
  await until("an answer", () => pidAt(name));
  const old = server.pid;
  server.kill("SIGUSR2");
  await until("a second master", () => server.log.match(/Listening at: unix:@/g)?.length === 2);
  const [, started = ""] =
    [...server.log.matchAll(/\[(\d+)\] \[INFO\] Starting gunicorn-ts/g)].at(-1) ?? [];
  const successor = Number(started);
  expect(successor).not.toBe(old);
  await until("its worker", () => /Using worker[^]*Using worker/.test(server.log));
  process.kill(old, "SIGTERM");
  await server.process.exited;
  await server.logged("Master has been promoted");
  expect(await until("an answer", () => pidAt(name))).toBeNumber();
  process.kill(successor, "SIGTERM");
  await until("the end", () => server.ended());
}, 120_000);

test("an abstract socket in use is told as any other address", async () => {
  const name = newName();
  await using server = await gunicorn({ files, bind: ["127.0.0.1:0", `unix:@${name}`] });
  await using other = start({ files, bind: [`unix:@${name}`] });
  await other.logged(`Connection in use: @${name}`);
  expect(await other.stop()).toBe(0);
  expect(await pidAt(name)).toBeNumber();
  expect(await server.stop()).toBe(0);
}, 120_000);

test("-k serve refuses an abstract socket as it does others", async () => {
  await using server = start({ files, bind: ["unix:@x"], args: ["-k", "serve"] });
  expect(await server.process.exited).toBe(1);
  await server.logged("unix:@x: worker class serve can't take over sockets");
});
