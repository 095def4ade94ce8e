import { expect, test } from "bun:test";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  mkdirSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { childrenOf, gunicorn, program, type RunningServer, until } from "../support/server.ts";
import { latestMaster, startNew, upgrade } from "../support/upgrades.ts";

const app = `export const fetch = () => new Response("ok", { headers: { "x-pid": String(process.pid) } });
`;

/** The server's own lines of one process, without time and pid. */
function linesOf(server: RunningServer, pid: number): string[] {
  return server.log
    .split("\n")
    .filter((line) => line.includes(`[${pid}] [`))
    .map((line) => line.replace(/^\[.*?\] \[\d+\] /, ""));
}

function readPid(folder: string, name: string): number {
  return Number(readFileSync(join(folder, name), "utf8"));
}

async function endOf(server: RunningServer, pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  await until("the end of all processes", () => server.ended());
}

test("USR2, WINCH, QUIT: names, pid files and log lines are Gunicorn's", async () => {
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["-w", "3", "-p", "pid"] });
  const old = server.pid;
  expect(readPid(server.folder, "pid")).toBe(old);
  const [, next] = await startNew(server, 3);
  expect(readPid(server.folder, "pid")).toBe(old);
  expect(readPid(server.folder, "pid.2")).toBe(next);
  process.kill(old, "SIGUSR2");
  await server.logged("USR2 signal ignored. Child exists.");
  process.kill(next, "SIGUSR2");
  await server.logged("USR2 signal ignored. Parent exists.");
  process.kill(old, "SIGWINCH");
  await until("the old workers gone", () => childrenOf(old).every((pid) => pid === next));
  process.kill(old, "SIGQUIT");
  expect(await server.process.exited).toBe(0);
  await server.logged("Master has been promoted.");
  await until("its pid file", () => !existsSync(join(server.folder, "pid.2")));
  expect(readPid(server.folder, "pid")).toBe(next);
  expect(linesOf(server, old).slice(-6)).toEqual([
    "[INFO] Handling signal: usr2",
    "[WARNING] USR2 signal ignored. Child exists.",
    "[INFO] Handling signal: winch",
    "[INFO] graceful stop of workers",
    "[INFO] Handling signal: quit",
    "[INFO] Shutting down: Master",
  ]);
  await endOf(server, next);
  expect(linesOf(server, next).at(-1)).toBe("[INFO] Shutting down: Master");
  expect(existsSync(join(server.folder, "pid"))).toBe(false);
}, 120_000);

test("an upgrade that is taken back: the new master is Master.2 to its end, and its pid file goes", async () => {
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["-w", "3", "-p", "pid"] });
  const [old, next] = await startNew(server, 3);
  process.kill(next, "SIGTERM");
  await server.logged(`New master (pid:${next}) exited with code 0`);
  expect(linesOf(server, next).at(-1)).toBe("[INFO] Shutting down: Master.2");
  expect(existsSync(join(server.folder, "pid.2"))).toBe(false);
  expect(readPid(server.folder, "pid")).toBe(old);
  await upgrade(server);
  await endOf(server, latestMaster(server));
}, 120_000);

test("a new master that is stopped as soon as the old one has gone leaves nothing behind", async () => {
  const bind = ["127.0.0.1:0", "unix:app.sock"];
  const args = ["-w", "1", "-p", "pid", "--control-socket", "app.ctl"];
  await using server = await gunicorn({ files: { "app.ts": app }, bind, args });
  const [, next] = await startNew(server, 1);
  expect(await server.stop("SIGQUIT")).toBe(0);
  await endOf(server, next);
  expect(linesOf(server, next).at(-1)).toBe("[INFO] Shutting down: Master");
  expect(readdirSync(server.folder).filter((name) => /^(app\.(sock|ctl)|pid)/.test(name))).toEqual(
    [],
  );
}, 120_000);

test("a new master that can't start ends alone: the old one serves on, and says so", async () => {
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["-w", "1"] });
  writeFileSync(join(server.folder, "app.ts"), "export const fetch = 1;");
  server.kill("SIGUSR2");
  await server.logged(/New master \(pid:\d+\) exited with code 4, this one is the only one again/);
  expect(await (await fetch(server.url)).text()).toBe("ok");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("why the system starts no new master is one line, and why preExec doesn't want one has its place", async () => {
  const config = `import { existsSync } from "node:fs";
export function preExec() { if (existsSync("stop")) throw new Error("not now"); }
`;
  await using server = await gunicorn({ files: { "app.ts": app, "gunicorn.conf.ts": config } });
  const away = `${server.folder}.away`;
  renameSync(server.folder, away);
  server.kill("SIGUSR2");
  await server.logged("Upgrade failed, this master serves on: ENOENT: ");
  renameSync(away, server.folder);
  expect(server.log).not.toContain("    at ");
  writeFileSync(join(server.folder, "stop"), "");
  server.kill("SIGUSR2");
  await server.logged(
    /Upgrade failed, this master serves on: Error: not now\n +at .*gunicorn.conf.ts/,
  );
  expect(await (await fetch(server.url)).text()).toBe("ok");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("the new configuration takes effect: other workers, another address besides the old one", async () => {
  const config = (workers: number, binds: string) =>
    `export const workers = ${workers};\nexport const bind = [${binds}];\n`;
  await using server = await gunicorn({
    files: { "app.ts": app, "gunicorn.conf.ts": config(3, `"127.0.0.1:0"`) },
    bind: [],
  });
  const more = config(5, `"127.0.0.1:0", "127.0.0.2:0"`);
  writeFileSync(join(server.folder, "gunicorn.conf.ts"), more);
  const [old, second] = await startNew(server, 5);
  const [, added] = /Listening at: [^ ]+,(http:\/\/127\.0\.0\.2:\d+) /.exec(server.log) ?? [];
  process.kill(old, "SIGTERM");
  await server.logged("Master has been promoted.");
  expect(await (await fetch(added as string)).text()).toBe("ok");
  writeFileSync(join(server.folder, "gunicorn.conf.ts"), config(1, `"127.0.0.1:0"`));
  const from = server.log.length;
  // It serves all slots of the old one as long as that lives.
  const [, third] = await startNew(server, 5);
  process.kill(second, "SIGTERM");
  await server.logged("Master has been promoted.", from);
  await until("one worker", () => childrenOf(third).length === 1);
  for (let count = 0; count < 20; count++) {
    expect(await (await fetch(server.url, { keepalive: false })).text()).toBe("ok");
  }
  await endOf(server, third);
}, 120_000);

test("the program is found anew: what a symbolic link names by then", async () => {
  await using server = await gunicorn({
    files: { "app.ts": app },
    program: "current/bin/gunicorn-ts.ts",
    args: ["-w", "1"],
    ...linkedProgram(),
  });
  const link = join(server.folder, "current");
  unlinkSync(link);
  mkdirSync(join(server.folder, "next/bin"), { recursive: true });
  writeFileSync(
    join(server.folder, "next/bin/gunicorn-ts.ts"),
    `console.log("the next release");\nawait import(${JSON.stringify(program)});\n`,
  );
  symlinkSync(join(server.folder, "next"), link);
  const [old, next] = await startNew(server, 1);
  expect(server.log).toContain("the next release");
  process.kill(old, "SIGTERM");
  await server.logged("Master has been promoted.");
  await endOf(server, next);
}, 120_000);

/** A folder with `current` -> the repository. */
function linkedProgram(): { folder: string } {
  const folder = Bun.spawnSync(["mktemp", "-d"]).stdout.toString().trim();
  symlinkSync(dirname(dirname(program)), join(folder, "current"));
  return { folder };
}

test("preExec runs in the old master, and sees it", async () => {
  await using server = await gunicorn({
    files: {
      "app.ts": app,
      "gunicorn.conf.ts": `export function preExec(server) { server.log.info(\`preExec in \${server.pid}\`); }
`,
    },
  });
  const [old, next] = await startNew(server, 1);
  expect(server.log).toContain(`preExec in ${old}`);
  process.kill(old, "SIGTERM");
  await server.logged("Master has been promoted.");
  await endOf(server, next);
}, 120_000);
