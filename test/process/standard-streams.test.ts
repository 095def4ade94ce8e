import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { check, library } from "../../src/os/libc.ts";
import { encodeName } from "../../src/os/sockets/socket-address.ts";
import { AF_UNIX, createStreamSocket } from "../../src/os/sockets/socket-options.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { commandOf, gunicorn, start, until } from "../support/server.ts";

const files = { "app.ts": `export default () => new Response("hello");\n` };
const format = ["--access-logformat", "line %(U)s"];

test.each([["/dev/stdout"], ["/dev/stderr"], ["/dev/fd/1"], ["/proc/self/fd/2"], ["link"]])(
  "an access log to %s stays there after USR1 and HUP",
  async (name) => {
    const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
    symlinkSync("/dev/stdout", join(folder, "link"));
    await using server = await gunicorn({
      folder,
      files,
      args: ["--access-logfile", name, ...format],
    });
    for (const [signal, path] of [
      ["SIGUSR1", "/a"],
      ["SIGHUP", "/b"],
    ] as const) {
      server.kill(signal);
      await server.logged(`Handling signal: ${signal.slice(3).toLowerCase()}`);
      await (await fetch(server.url + path, { keepalive: false })).text();
      await server.logged(`line ${path}\n`);
    }
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("Can't reopen");
  },
  120_000,
);

test.each([["--access-logfile"], ["--error-logfile"]])("%s /dev/fd/3 is refused", async (flag) => {
  await using server = start({ files, args: [flag, "/dev/fd/3"] });
  expect(await server.process.exited).toBe(1);
  expect(server.log).toMatch(
    /^Error: --(access|error)-logfile: '\/dev\/fd\/3': only standard output and error reach the workers\n$/,
  );
});

test.skipIf(!isRoot)(
  `a stream of root's, with workers of another user${needsRoot}`,
  async () => {
    await using server = await gunicorn({
      files,
      args: ["-u", "nobody", "--access-logfile", "/dev/stdout", ...format],
    });
    await (await fetch(`${server.url}/c`, { keepalive: false })).text();
    await server.logged("line /c\n");
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test("standard output and error that are sockets", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-socket-"));
  let text = "";
  using listener = Bun.listen({
    unix: join(folder, "journal"),
    socket: { data: (_socket, bytes) => void (text += bytes.toString()) },
  });
  const socket = createStreamSocket(AF_UNIX);
  const name = encodeName({ type: "unix", path: join(folder, "journal") });
  check(library().connect(socket, ptr(name), name.byteLength), "connect");
  writeFileSync(join(folder, "app.ts"), files["app.ts"]);
  const args = "--access-logfile /dev/stdout --error-logfile /dev/stderr --capture-output".split(
    " ",
  );
  const server = Bun.spawn([...commandOf().words, "-b", "127.0.0.1:0", ...args, ...format, "app"], {
    cwd: folder,
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", socket, socket],
  });
  const url = await until("the address", () => /Listening at: (\S+)/.exec(text)?.[1]);
  await until("an answer", () =>
    fetch(`${url}/d`, { keepalive: false }).then(
      (it) => it.ok,
      () => false,
    ),
  );
  await until("the line", () => text.includes("line /d\n"));
  server.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  expect(listener.unix).toContain("journal");
  rmSync(folder, { recursive: true });
}, 120_000);

test("closed at the start", async () => {
  await using server = start({
    files,
    through: ["sh", "-c", 'exec "$@" >&- 2>&-', "sh"],
    args: ["--access-logfile", "/dev/stdout", "--pid", "pid"],
  });
  await until("the pid file", () => Bun.file(join(server.folder, "pid")).exists());
  server.process.kill("SIGTERM");
  expect(await server.process.exited).toBe(0);
}, 120_000);

/** Writes until nothing more is taken. */
function fill(fd: number): void {
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
  }
}

/** What stands in the pipe now. */
function readPipe(fd: number): string {
  const bytes = Buffer.alloc(1 << 20);
  try {
    return bytes.toString("utf8", 0, readSync(fd, bytes));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
    return "";
  }
}

test("a full pipe that nobody reads keeps no one from serving and from leaving", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-pipe-"));
  const path = join(folder, "pipe");
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  // Both ends: the server's own descriptor of it waits, as a shell makes it.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  fill(fd);
  const socket = join(folder, "app.sock");
  await using server = start({
    folder,
    files,
    bind: [`unix:${socket}`],
    through: ["sh", "-c", 'exec "$@" 2> pipe', "sh"],
    args: ["--access-logfile", "/dev/stderr", ...format],
  });
  const ask = () => fetch("http://localhost/f", { unix: socket, keepalive: false });
  await until("an answer", () =>
    ask().then(
      (response) => response.ok,
      () => false,
    ),
  );
  let text = readPipe(fd);
  // It logs a line.
  server.process.kill("SIGUSR1");
  await until("a word of what is lost", async () => {
    await ask();
    text += readPipe(fd);
    return /\d+ bytes of this log are lost/.test(text) && text.includes("line /f\n");
  });
  fill(fd);
  server.process.kill("SIGTERM");
  expect(await server.process.exited).toBe(0);
  closeSync(fd);
}, 120_000);

const handler = (maxBytes: number) => ({
  class: "logging.handlers.RotatingFileHandler",
  filename: "/dev/stdout",
  maxBytes,
  backupCount: 1,
});
const logconfig = (maxBytes: number) =>
  JSON.stringify({
    version: 1,
    root: { level: "INFO", handlers: [] },
    handlers: { file: handler(maxBytes) },
    loggers: { "gunicorn.access": { level: "INFO", handlers: ["file"] } },
  });

test("a rotating handler writes to a stream, and is refused where it would rename it", async () => {
  const args = ["--log-config-json", "log.json", ...format];
  await using server = await gunicorn({ files: { ...files, "log.json": logconfig(0) }, args });
  await (await fetch(`${server.url}/e`, { keepalive: false })).text();
  await server.logged("line /e\n");
  expect(await server.stop()).toBe(0);

  await using refused = start({ files: { ...files, "log.json": logconfig(1000) }, args });
  expect(await refused.process.exited).toBe(1);
  expect(refused.log).toMatch(
    /^Error: [^\n]*file\.filename: '\/dev\/stdout' is a standard stream, which can't be renamed\n$/,
  );
}, 120_000);

test("capture_output goes back from a file to the stream of the start", async () => {
  const config = (errorlog: string) =>
    `export const captureOutput = true;\nexport const errorlog = "${errorlog}";\n`;
  await using server = start({
    files: {
      "app.ts": `console.log("imported");\nexport default () => new Response("hello");\n`,
      "gunicorn.conf.ts": config("log"),
    },
  });
  const log = join(server.folder, "log");
  await until(
    "the app's output in the file",
    () => existsSync(log) && readFileSync(log, "utf8").includes("imported"),
  );
  expect(server.log).toBe("");
  writeFileSync(join(server.folder, "gunicorn.conf.ts"), config("/dev/stdout"));
  server.process.kill("SIGHUP");
  await server.logged("Booting worker");
  await server.logged("imported");
  server.process.kill("SIGTERM");
  expect(await server.process.exited).toBe(0);
}, 120_000);
