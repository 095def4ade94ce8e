/**
 * The first worker's process is started before the configuration is read, and used only where nobody can tell. Configuration
 * files here wait for it, so that each row is about one that is there.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { namesIn } from "../../bench/process-tree.ts";
import { isRunning } from "../../src/os/processes.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";

const app = `import { readFileSync } from "node:fs";
const facts = {
  pid: process.pid, ppid: process.ppid, cwd: process.cwd(), argv: process.argv.length, umask: process.umask(),
  env: process.env, environ: readFileSync("/proc/self/environ", "utf8").split("\\0").filter(Boolean).sort(),
};
console.log("printed by the app");
export const fetch = () => Response.json(facts);`;

/** Writes the pid of the process that is there already, before anything else is said. A worker with hooks reads it too. */
const waitsForIt = `import { existsSync, readFileSync as read, writeFileSync as write } from "node:fs";
export const timeout = 600;
for (let pid = ""; pid === "" && !existsSync(import.meta.dir + "/early.pid"); await Bun.sleep(1)) {
  pid = read(\`/proc/self/task/\${process.pid}/children\`, "utf8").trim();
  if (pid !== "") write(import.meta.dir + "/early.pid", pid);
}
`;

interface Facts {
  readonly pid: number;
  readonly ppid: number;
  readonly cwd: string;
  readonly argv: number;
  readonly umask: number;
  readonly env: Readonly<Record<string, string>>;
  readonly environ: readonly string[];
}

/** A server's folder, with a configuration file that waits and then says this. */
const saying = (text: string, more: Readonly<Record<string, string>> = {}) => ({
  "app.ts": app,
  "gunicorn.conf.ts": `${waitsForIt}${text}`,
  ...more,
});

function earlyPid({ folder }: RunningServer): number | null {
  const file = join(folder, "early.pid");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  return text === "" ? null : Number(text);
}

const factsOf = async (server: RunningServer) => (await (await server.fetch()).json()) as Facts;

/** As it stands in the log of every start. */
const booted = (log: string) => [...log.matchAll(/Booting worker with pid: (\d+)/g)].length;

describe("the early process is the first worker", () => {
  const rows: [claim: string, text: string, args: readonly string[]][] = [
    ["of a plain server", "", []],
    ["on a shared socket", "export const reusePort = false;", ["-w", "2"]],
    ["with hooks of workers", `export const postFork = () => console.error("hook ran");`, []],
    ["with capture_output", "export const captureOutput = true;", []],
    ["with preload_app", "export const preloadApp = true;", []],
  ];
  test.each(rows)(
    "%s",
    async (_claim, text, args) => {
      await using server = await gunicorn({ files: saying(text), args });
      await server.logged("Booting worker");
      const early = earlyPid(server);
      const { environ, ...facts } = await factsOfWorker(server, early as number);
      expect(facts).toMatchObject({ pid: early, ppid: server.pid, cwd: server.folder, argv: 2 });
      expect(environ).toContain("NODE_ENV=production");
      expect(server.log).not.toMatch(/WARNING|ERROR/);
      expect(await server.stop()).toBe(0);
    },
    240_000,
  );

  test("with the descriptors of any other, and its successor is as good", async () => {
    await using server = await gunicorn({ files: saying("export const workers = 2;") });
    const [first = 0, second = 0] = await server.settled(2);
    expect(first).toBe(earlyPid(server) as number);
    await until("equal descriptors", () => {
      const [some, others] = [first, second].map(descriptors);
      return some !== "" && some === others;
    });
    server.kill("SIGHUP");
    await until("a successor", () => !isRunning(first));
    expect((await server.fetch()).status).toBe(200);
    expect(await server.stop()).toBe(0);
  }, 240_000);
});

/** One of several workers answers. */
function factsOfWorker(server: RunningServer, pid: number): Promise<Facts> {
  return until(`an answer of ${pid}`, async () => {
    const facts = await factsOf(server);
    return facts.pid === pid ? facts : null;
  });
}

/** What a process has open, in no order and with no numbers; empty when one has been closed meanwhile. */
function descriptors(pid: number): string {
  const kinds = namesIn(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]/, "");
    } catch {
      return null;
    }
  });
  return kinds.includes(null) ? "" : kinds.sort().join(" ");
}

describe("another process is the first worker, as if there had been none before", () => {
  const rows: [claim: string, text: string, sees: (facts: Facts, folder: string) => void][] = [
    [
      "with raw_env",
      `export const rawEnv = ["A=1"];`,
      ({ env, environ }) => {
        expect(env["A"]).toBe("1");
        expect(environ).toContain("A=1");
      },
    ],
    [
      "with chdir",
      `export const chdir = "below";`,
      ({ cwd }, folder) => expect(cwd).toBe(join(realpathSync(folder), "below")),
    ],
    ["with umask", "export const umask = 0o077;", ({ umask }) => expect(umask).toBe(0o077)],
    [
      "with pre_fork",
      "export const preFork = () => {};",
      ({ pid }) => expect(pid).toBeGreaterThan(0),
    ],
    ["of class serve", `export const workerClass = "serve";`, ({ argv }) => expect(argv).toBe(2)],
    [
      "of a configuration file that changes the environment",
      `process.env.A = "2";`,
      ({ environ }) => expect(environ).toContain("A=2"),
    ],
    [
      "of one that lowers the priority",
      `(await import("node:os")).setPriority(3);`,
      ({ pid }) => expect(niceOf(pid)).toBe(3),
    ],
    [
      "of one that is to die first when memory runs out",
      `write("/proc/self/oom_score_adj", "500");`,
      ({ pid }) => expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("500"),
    ],
    [
      "where somebody has killed the early one",
      `const pid = Number(read(import.meta.dir + "/early.pid", "utf8"));
      process.kill(pid, "SIGKILL");
      const stat = () => { try { return read(\`/proc/\${pid}/stat\`, "utf8"); } catch { return "gone Z "; } };
      while (!/ Z /.test(stat())) await Bun.sleep(1);`,
      () => {},
    ],
  ];
  test.each(rows)(
    "%s",
    async (_claim, text, sees) => {
      await using server = await gunicorn({ files: saying(text, { "below/app.ts": app }) });
      const facts = await factsOf(server);
      sees(facts, server.folder);
      const early = earlyPid(server);
      expect(facts.pid).not.toBe(early as number);
      await until("the end of the early one", () => !server.workers().includes(early as number));
      expect(server.workers()).toEqual([facts.pid]);
      await server.logged("Booting worker");
      expect(booted(server.log)).toBe(1);
      expect(server.log).not.toMatch(/ERROR|exited|was sent/);
      expect(server.log).not.toMatch(new RegExp(`\\[${early}\\]|pid: ?${early}\\b`));
      expect(await server.stop()).toBe(0);
    },
    240_000,
  );
});

/** proc(5): the 19th field, the 17th behind the name. */
function niceOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}

describe("no process is left", () => {
  const failing: [claim: string, text: string, code: number, args?: readonly string[]][] = [
    ["by a configuration that throws", `throw new Error("broken");`, 1],
    ["by one that is refused", "export const workers = -1;", 1],
    ["by one without an app", "export const workers = 1;", 1],
    ["by one that ends the process", "process.exit(7);", 7],
    ["by one that checks only", "export const checkConfig = true;", 0, ["app"]],
  ];
  test.each(failing)(
    "%s",
    async (_claim, text, code, args = []) => {
      await using server = start({ files: saying(text), bind: [], app: null, args });
      expect(await server.process.exited).toBe(code);
      const early = earlyPid(server) as number;
      await until("its end", () => !isRunning(early));
      expect(server.log).not.toContain("Booting");
    },
    240_000,
  );

  const killed: [signal: NodeJS.Signals, code: number][] = [
    ["SIGKILL", 137],
    ["SIGTERM", 0],
    ["SIGINT", 0],
  ];
  test.each(killed)(
    "by %s while the configuration is read",
    async (signal, code) => {
      await using server = start({ files: saying("await Bun.sleep(600_000);") });
      const early = await until("the early process", () => earlyPid(server));
      expect(await server.stop(signal)).toBe(code);
      await until("its end", () => !isRunning(early));
    },
    240_000,
  );
});
