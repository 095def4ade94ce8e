import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readProc } from "../support/daemon.ts";
import { descriptorsOf } from "../support/descriptors.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { gunicorn, start, until } from "../support/server.ts";

const app = `export const fetch = () => new Response("ok");`;

test("the pid file names the master from on_starting to before on_exit", async () => {
  const config = `import { existsSync, readFileSync } from "node:fs";
    const read = () => existsSync("run.pid") ? readFileSync("run.pid", "utf8").trim() : "none";
    export const nworkersChanged = () => console.error("nworkers_changed sees", read());
    export const onStarting = () => console.error("on_starting sees", read());
    export const onExit = () => console.error("on_exit sees", read());`;
  await using server = await gunicorn({
    files: { "app.ts": app, "gunicorn.conf.ts": config },
    args: ["-p", "run.pid"],
  });
  const path = join(server.folder, "run.pid");
  expect(readFileSync(path, "utf8")).toBe(`${server.pid}\n`);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  expect(await server.stop()).toBe(0);
  expect(existsSync(path)).toBe(false);
  expect(server.log).toContain("nworkers_changed sees none\n");
  expect(server.log).toContain(`on_starting sees ${server.pid}\n`);
  expect(server.log).toEndWith("Shutting down: Master\non_exit sees none\n");
});

test.each([["garbage"], [""], ["dead"]])("a pid file with %j is overwritten", async (what) => {
  const dead = Bun.spawn(["true"]);
  await dead.exited;
  const text = what === "dead" ? `${dead.pid}\n` : what;
  await using server = await gunicorn({
    files: { "app.ts": app, "run.pid": text },
    args: ["-p", "run.pid"],
  });
  expect(readFileSync(join(server.folder, "run.pid"), "utf8")).toBe(`${server.pid}\n`);
});

test("a second server with the same pid file doesn't start, and the first goes on", async () => {
  await using first = await gunicorn({ files: { "app.ts": app }, args: ["-p", "run.pid"] });
  const path = join(first.folder, "run.pid");
  await using second = start({ files: { "app.ts": app }, args: ["-p", path] });
  expect(await second.process.exited).toBe(1);
  expect(second.log).toEndWith(
    `Error: Already running on PID ${first.pid} (or pid file '${path}' is stale)\n`,
  );
  expect(readFileSync(path, "utf8")).toBe(`${first.pid}\n`);
  expect(await (await fetch(first.url)).text()).toBe("ok");
});

test("a worker that outlives its master doesn't hold the pid file, and neither does a number that was given away", async () => {
  await using first = await gunicorn({ files: { "app.ts": app }, args: ["-p", "run.pid"] });
  const path = join(first.folder, "run.pid");
  const [worker] = first.workers() as [number];
  expect(descriptorsOf(worker).map(([, what]) => what)).not.toContain(path);
  process.kill(worker, "SIGSTOP");
  first.kill("SIGKILL");
  await first.process.exited;
  try {
    await using second = await gunicorn({ files: { "app.ts": app }, args: ["-p", path] });
    expect(readFileSync(path, "utf8")).toBe(`${second.pid}\n`);
    expect(await second.stop()).toBe(0);
  } finally {
    process.kill(worker, "SIGKILL");
  }
});

test("the file of somebody else is spared at the end", async () => {
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["-p", "run.pid"] });
  const path = join(server.folder, "run.pid");
  await Bun.write(path, `${process.pid}\n`);
  expect(await server.stop()).toBe(0);
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
});

test("a start that fails later leaves no pid file", async () => {
  using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  await using server = start({
    files: { "app.ts": app },
    args: ["-p", "run.pid"],
    bind: [`127.0.0.1:${taken.port}`],
  });
  await server.logged("Connection in use");
  expect(existsSync(join(server.folder, "run.pid"))).toBe(true);
  expect(await server.process.exited).toBe(1);
  expect(existsSync(join(server.folder, "run.pid"))).toBe(false);
}, 120_000);

test("a pid file that can't be written is one sentence", async () => {
  await using server = start({ files: { "app.ts": app }, args: ["-p", "nowhere/run.pid"] });
  expect(await server.process.exited).toBe(1);
  const folder = join(server.folder, "nowhere");
  expect(server.log).toEndWith(`Error: --pid: ${folder} doesn't exist. Can't create pidfile.\n`);
});

test.skipIf(!isRoot)(
  `a pid file on a read-only file system is one sentence, too${needsRoot}`,
  async () => {
    const mount = 'mkdir ro && mount -t tmpfs -o ro tmpfs ro && exec "$@"';
    await using server = start({
      files: { "app.ts": app },
      args: ["-p", "ro/run.pid"],
      through: ["unshare", "--mount", "sh", "-c", mount, "sh"],
    });
    expect(await server.process.exited).toBe(1);
    expect(server.log).toMatch(
      /^Error: --pid: \S+\/ro\/run\.pid can't be written: EROFS[^\n]*\n$/m,
    );
    expect(server.log).not.toContain("    at ");
  },
);

test("HUP takes pid file and title to the new configuration, and a reload that fails takes them back", async () => {
  const config = (name: string) => `export const pidfile = "${name}.pid";
export const procName = "${name}";
`;
  const files = { "app.ts": app, "gunicorn.conf.ts": config("one") };
  await using server = await gunicorn({ files });
  const file = (name: string) => join(server.folder, name);
  const holder = (name: string) => Number(readFileSync(file(`${name}.pid`), "utf8"));
  expect(holder("one")).toBe(server.pid);
  writeFileSync(file("gunicorn.conf.ts"), config("two"));
  server.kill("SIGHUP");
  const isTitled = () => readProc(`${server.pid}/cmdline`).startsWith("gunicorn: master [two]\0");
  await until("the new file", () => existsSync(file("two.pid")));
  expect(holder("two")).toBe(server.pid);
  await until("the old one removed", () => !existsSync(file("one.pid")));
  await until("the new title", isTitled);
  await until("the reload's end", () => server.log.includes("Worker exiting"));
  writeFileSync(file("gunicorn.conf.ts"), config("three"));
  writeFileSync(file("app.ts"), "export const fetch = 1;");
  server.kill("SIGHUP");
  await server.logged("Reload failed, the running workers stay");
  await until("the file taken back", () => existsSync(file("two.pid")));
  await until("the other one removed", () => !existsSync(file("three.pid")));
  await until("the title taken back", isTitled);
  expect(await server.stop()).toBe(0);
  expect(existsSync(file("two.pid"))).toBe(false);
}, 120_000);
