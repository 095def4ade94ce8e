/** A reload changes nothing of the master before it is through: one that fails, and one that a stop overtakes. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { descriptorsOf } from "../support/descriptors.ts";
import { childrenOf, gunicorn, type RunningServer, until } from "../support/server.ts";
import { standstill } from "../support/standstill.ts";

const app = `export const fetch = () => new Response("ok");`;

/** Everything of the master that a configuration changes, told by its hooks. */
function configuration(name: string, more: Readonly<Record<string, unknown>> = {}): string {
  const settings = Object.entries({
    procName: name,
    pidfile: `../${name}.pid`,
    chdir: name,
    rawEnv: [`COLOUR=${name}`],
    umask: name === "old" ? 0o27 : 0o77,
    errorlog: `../${name}.log`,
    workers: 1,
    bind: "127.0.0.1:0",
    ...more,
  });
  return `${settings.map(([key, value]) => `export const ${key} = ${JSON.stringify(value)};`).join("\n")}
    const tell = (what) => console.error(what, "${name}", process.env.COLOUR, process.cwd(), process.umask());
    export const nworkersChanged = () => tell("nworkers_changed");
    export const onReload = () => tell("on_reload");
    export const onExit = () => tell("on_exit");\n`;
}

async function startOld(more: Readonly<Record<string, unknown>> = {}): Promise<RunningServer> {
  const files = {
    "app.ts": app,
    "old/app.ts": app,
    "new/app.ts": app,
    "gunicorn.conf.ts": configuration("old", { errorlog: "-", ...more }),
  };
  return gunicorn({ files, bind: [] });
}

function reload(server: RunningServer, text: string): number {
  writeFileSync(join(server.folder, "gunicorn.conf.ts"), text);
  server.kill("SIGHUP");
  return server.log.length;
}

/** What others see of the master. */
function outside({ pid, folder }: RunningServer) {
  const fds = descriptorsOf(pid).map(([, what]) => what);
  return {
    cwd: readlinkSync(`/proc/${pid}/cwd`),
    umask: /Umask:\s*(\S+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1],
    title: readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0],
    pidFiles: readdirSync(folder).filter((name) => name.endsWith(".pid")),
    fds: fds.sort(),
  };
}

const failures: readonly (readonly [
  string,
  (taken: number) => string,
  Readonly<Record<string, string>>?,
])[] = [
  ["the file throws", () => `${configuration("new")}throw new Error("on purpose");`],
  ["a value is wrong", () => configuration("new", { workers: 5000 })],
  ["a setting can't change", () => configuration("new", { reusePort: false })],
  [
    "the app can't be preloaded",
    () => configuration("new", { preloadApp: true }),
    { "new/app.ts": "throw 1;" },
  ],
  ["its log can't be opened", () => configuration("new", { errorlog: "nowhere/new.log" })],
  [
    "one of its addresses is taken",
    (taken) =>
      configuration("new", { bind: ["127.0.0.1:0", "unix:../new.sock", `127.0.0.1:${taken}`] }),
  ],
  ["its first worker doesn't boot", () => configuration("new"), { "new/app.ts": "throw 1;" }],
];

describe("a reload that fails, since", () => {
  test.each(failures)(
    "%s, leaves the master as it was",
    async (_why, text, files = {}) => {
      using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
      await using server = await startOld();
      // Pipes that Bun opens once, and leaves open.
      const warm = reload(server, `throw new Error("on purpose");`);
      await server.logged("Reload failed", warm);
      await until("the old worker alone", () => childrenOf(server.pid).length === 1);
      // What that reload had open closes a moment later.
      await standstill(() => descriptorsOf(server.pid).length);
      const before = outside(server);
      for (const [name, content] of Object.entries(files))
        writeFileSync(join(server.folder, name), content);
      const seen = reload(server, text(taken.port));
      const failed = await server.logged("Reload failed", seen);
      await until("only the old worker", () => childrenOf(server.pid).length === 1);
      await until(
        "the descriptors of the start",
        () => outside(server).fds.length === before.fds.length,
        10_000,
      ).catch(() => {});
      expect(outside(server)).toEqual(before);
      server.kill("SIGTTIN");
      const told = await server.logged(/nworkers_changed .*\n/, failed);
      const folder = join(server.folder, "old");
      expect(server.log.slice(0, told)).toEndWith(`nworkers_changed old old ${folder} ${0o27}\n`);
      expect(existsSync(join(server.folder, "new.sock"))).toBe(false);
      expect(await (await fetch(server.url, { keepalive: false })).text()).toBe("ok");
      expect(await server.stop()).toBe(0);
    },
    120_000,
  );
});

describe("a stop that overtakes a reload", () => {
  const slow = `console.error("importing"); await Bun.sleep(600_000);`;
  test.each([
    ["reads its file", () => slow + configuration("new"), "importing"],
    ["preloads the app", () => configuration("new", { preloadApp: true }), "importing"],
    [
      "tries to bind",
      (taken: number) => configuration("new", { bind: ["unix:../new.sock", `127.0.0.1:${taken}`] }),
      "Connection in use",
    ],
  ])(
    "while it %s is the old configuration's",
    async (_while, text, reached) => {
      using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
      await using server = await startOld();
      writeFileSync(join(server.folder, "new/app.ts"), slow + app);
      const seen = reload(server, text(taken.port));
      await server.logged(reached, seen);
      expect(await server.stop()).toBe(0);
      await until("its children to end", () => server.ended());
      const rest = server.log.slice(seen);
      expect(rest).not.toContain("Reload failed");
      expect(rest).toContain("Shutting down: Master");
      expect(rest).toEndWith(`on_exit old old ${join(server.folder, "old")} ${0o27}\n`);
      const left = readdirSync(server.folder).filter((name) => /\.(pid|sock)$/.test(name));
      expect(left).toEqual([]);
      const newLog = Bun.file(join(server.folder, "new.log"));
      expect((await newLog.exists()) ? await newLog.text() : "").toBe("");
    },
    120_000,
  );
});
