import { expect, test } from "bun:test";
import { existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { descriptorsOf } from "../support/descriptors.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { childrenOf, type RunningServer, start, until } from "../support/server.ts";
import { testUnless } from "../support/wire.ts";

const app = `console.log("imported");
export const fetch = (request) => {
  console.log("asked for", new URL(request.url).pathname);
  return new Response("ok");
};
`;

/** Started with --error-logfile, so that its address stands in the file. */
async function urlOf(server: RunningServer, name = "log"): Promise<string> {
  return until("the address in the log", () => {
    const log = server.read(name);
    return log.includes("Booting worker") ? /Listening at: (\S+)/.exec(log)?.[1] : null;
  });
}

test("master and workers write to the file, and nothing to standard error", async () => {
  await using server = start({ files: { "app.ts": app }, args: ["--error-logfile", "log"] });
  const url = await urlOf(server);
  expect(await (await fetch(url, { keepalive: false })).text()).toBe("ok");
  expect(await server.stop()).toBe(0);
  expect(server.read("log")).toMatch(
    /Starting[^]*Booting worker[^]*Worker exiting[^]*Shutting down: Master\n$/,
  );
  expect(server.log).toBe("imported\nasked for /\n");
});

test("USR1 opens the file anew, in master and workers, and capture_output follows", async () => {
  await using server = start({
    files: { "app.ts": app },
    args: ["-w", "2", "--log-file", "log", "--capture-output"],
  });
  const url = await urlOf(server);
  const count = (name: string, what: RegExp) => server.read(name).match(what)?.length ?? 0;
  await until("both workers", () => count("log", /^imported$/gm) === 2);
  expect(await (await fetch(`${url}/one`, { keepalive: false })).text()).toBe("ok");
  await until("the app's output", () => count("log", /^asked for \/one$/gm) === 1);
  renameSync(join(server.folder, "log"), join(server.folder, "log.1"));
  server.process.kill("SIGUSR1");
  await until("the new file", () => existsSync(join(server.folder, "log")));
  // What a worker says before the signal has reached it still goes to the old file.
  await until("twenty answers in a row in the new file", async () => {
    const before = count("log", /^asked for \/two$/gm);
    for (let asked = 0; asked < 20; asked++) {
      await (await fetch(`${url}/two`, { keepalive: false })).text();
    }
    return count("log", /^asked for \/two$/gm) === before + 20;
  });
  const old = server.read("log.1");
  expect(old).toContain("Handling signal: usr1\n");
  expect(await server.stop()).toBe(0);
  expect(server.read("log.1")).toBe(old);
  expect(server.read("log").match(/Worker exiting/g)).toHaveLength(2);
  expect(server.log).toBe("");
});

test("HUP takes the log to another file", async () => {
  const config = (name: string) => `export const errorlog = "${name}";\n`;
  const files = { "app.ts": app, "gunicorn.conf.ts": config("one") };
  await using server = start({ files });
  await urlOf(server, "one");
  writeFileSync(join(server.folder, "gunicorn.conf.ts"), config("two"));
  server.process.kill("SIGHUP");
  await until("a line in the new file", () => server.read("two").includes("Booting worker"));
  expect(await server.stop()).toBe(0);
  expect(server.read("two")).toEndWith("Shutting down: Master\n");
});

test("capture_output ends with a reload that doesn't ask for it", async () => {
  const captured = `export const errorlog = "one"; export const captureOutput = true;\n`;
  const files = { "app.ts": app, "gunicorn.conf.ts": captured };
  await using server = start({ files });
  await urlOf(server, "one");
  await until("the app's output", () => server.read("one").includes("imported"));
  expect(server.log).toBe("");
  writeFileSync(join(server.folder, "gunicorn.conf.ts"), `export const errorlog = "-";\n`);
  server.process.kill("SIGHUP");
  await server.logged("Booting worker");
  await server.logged("imported");
  expect(await server.stop()).toBe(0);
  expect(server.log).toEndWith("Shutting down: Master\n");
});

test("log_format json: each line is an object with the same names", async () => {
  const broken = `export const fetch = () => { throw new Error("boom"); };\n`;
  await using server = start({
    files: { "app.ts": broken },
    args: ["--log-format", "json", "--error-logfile", "log", "--access-logfile", "access"],
  });
  const url = await urlOf(server);
  const response = await fetch(`${url}/path?query`, { keepalive: false });
  expect(response.status).toBe(500);
  expect(await server.stop()).toBe(0);
  const entries = server
    .read("log")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const entry of entries) {
    expect(Object.keys(entry).slice(0, 5)).toEqual(["time", "level", "pid", "logger", "message"]);
  }
  expect(entries.find(({ level }) => level === "error")).toMatchObject({
    message: "Error handling request GET /path?query",
    stack: expect.stringMatching(/^Error: boom\n\s+at /),
  });
  const [access, ...more] = server.read("access").trimEnd().split("\n");
  expect(more).toEqual([]);
  expect(JSON.parse(access ?? "")).toMatchObject({
    logger: "gunicorn.access",
    method: "GET",
    path: "/path",
    query: "query",
    status: 500,
  });
});

testUnless(process.platform !== "linux")(
  "reloads leave no file of an older configuration open",
  async () => {
    await using server = start({
      files: { "app.ts": app },
      args: ["--log-file", "log", "--access-logfile", "access"],
    });
    // A worker that is told to leave while it boots doesn't say that it exits.
    await (await fetch(await urlOf(server), { keepalive: false })).text();
    const paths = ["log", "access"].map((name) => join(server.folder, name));
    const open = () =>
      descriptorsOf(server.process.pid).filter(([, what]) => paths.includes(what)).length;
    for (let reload = 1; reload <= 3; reload++) {
      server.process.kill("SIGHUP");
      const exited = () => server.read("log").match(/Worker exiting/g)?.length ?? 0;
      await until("the old worker to leave", () => exited() === reload);
      await until("one pair of files", () => open() === 2);
    }
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test("a file that can't be written ends the start with one line", async () => {
  await using server = start({ files: { "app.ts": app }, args: ["--error-logfile", "none/log"] });
  expect(await server.process.exited).toBe(1);
  await until("its complaint", () => server.ended());
  expect(server.log).toMatch(
    /^Error: --error-logfile: '\S+none\/log' isn't writable: there is no folder \/\S+none\n$/,
  );
});

test("a worker that can't open the file says so in one line, until there is a folder again", async () => {
  await using server = start({
    files: { "app.ts": app, "logs/none": "" },
    args: ["--error-logfile", "logs/log"],
  });
  const url = await urlOf(server, "logs/log");
  await until("the first worker", async () => (await fetch(url)).ok);
  const logs = join(server.folder, "logs");
  renameSync(logs, `${logs}.away`);
  const [first = 0] = childrenOf(server.process.pid);
  process.kill(first, "SIGKILL");
  await server.logged(
    /^Worker \d+ can't open its logs: errorlog: '\S+' isn't writable: there is no folder \S+$/m,
  );
  renameSync(`${logs}.away`, logs);
  await until("a worker", async () => (await fetch(url).catch(() => null))?.ok);
  expect(server.log).not.toContain("    at ");
  expect(await server.stop()).toBe(0);
}, 120_000);

test.skipIf(!isRoot)(
  `the file belongs to user and group, also after USR1${needsRoot}`,
  async () => {
    await using server = start({
      files: { "app.ts": app },
      args: ["-u", "nobody", "-g", "nogroup", "--error-logfile", "log"],
    });
    await urlOf(server);
    const owner = () => {
      const { uid, gid } = statSync(join(server.folder, "log"));
      return [uid, gid];
    };
    expect(owner()).toEqual([65534, 65534]);
    renameSync(join(server.folder, "log"), join(server.folder, "log.1"));
    server.process.kill("SIGUSR1");
    await until("the new file", () => existsSync(join(server.folder, "log")));
    // It is made first, and given away then.
    await until("its owner", () => owner().every((id) => id === 65534));
    expect(await server.stop()).toBe(0);
    expect(server.read("log")).toContain("Worker exiting");
  },
);
