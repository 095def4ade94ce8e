/** Each command of the control socket, by `gunicorn-ts ctl`, against a server that runs. */
import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ctl, ctlData } from "../support/ctl.ts";
import {
  gunicorn,
  program,
  type RunningServer,
  type ServerOptions,
  until,
  waitsForGo,
} from "../support/server.ts";

const limitMs = 120_000;

const fetchApp = (word: string) => `export const fetch = () => new Response("${word}");`;

async function controlled({
  args = [],
  files = {},
  ...rest
}: ServerOptions = {}): Promise<RunningServer> {
  const server = await gunicorn({
    files: { "app.ts": fetchApp("one"), ...files },
    args: ["--control-socket", "app.ctl", ...args],
    ...rest,
  });
  return server;
}

/** Waits until so many workers are ready, and no others are there. */
async function settled(server: RunningServer, count: number): Promise<number[]> {
  return until(`${count} ready workers`, async () => {
    const { workers } = await ctlData(server, "show workers");
    const all = workers as { readonly pid: number; readonly state: string }[];
    return all.length === count && all.every(({ state }) => state === "ready")
      ? all.map(({ pid }) => pid)
      : null;
  });
}

describe("ctl shows", () => {
  test(
    "stats, workers, requests, listeners, config and help",
    async () => {
      await using server = await controlled({ args: ["-w", "2", "-e", "TOKEN=hush"] });
      expect((await ctl(server, "wait --ready")).out).toBe("Ready\n");
      for (let sent = 0; sent < 3; sent += 1) await (await server.fetch()).text();
      // The request with which gunicorn() waits for the server is one too.
      const stats = await until("the requests counted", async () => {
        const data = await ctlData(server, "show stats");
        return Number(data["requests"]) >= 4 ? data : null;
      });
      expect(stats).toMatchObject({
        pid: server.pid,
        state: "ready",
        workers_current: 2,
        workers_target: 2,
        workers_ready: 2,
        workers_spawned: 2,
        reloads: 0,
      });
      expect((await ctl(server, "show stats")).out).toContain(`PID:             ${server.pid}\n`);
      const { workers, count } = await ctlData(server, "show workers");
      expect(count).toBe(2);
      expect((workers as { pid: number }[]).map(({ pid }) => pid).sort()).toEqual(
        server.workers().sort(),
      );
      expect((await ctl(server, "show workers")).out).toMatch(
        /^SLOT +PID +AGE +GEN +STATE +SERVING +REQUESTS +BUSY +CONNS +MEMORY\n +0 +\d+ +1 +1 +ready/,
      );
      expect((await ctl(server, "show requests")).out).toMatch(/\nIn flight: 0, answered: \d+\n$/);
      expect((await ctl(server, "show listeners")).out).toContain(server.url.replace(/\/$/, ""));
      const config = await ctlData(server, "show config");
      expect(config).toMatchObject({ workers: 2, raw_env: ["TOKEN=(hidden)"] });
      expect((await ctl(server, "show config")).out).not.toContain("hush");
      expect((await ctl(server, "help")).out).toContain("worker add [N]  ");
      expect(await server.stop()).toBe(0);
      expect(existsSync(join(server.folder, "app.ctl"))).toBe(false);
    },
    limitMs,
  );
});

describe("ctl changes", () => {
  test(
    "the number of workers",
    async () => {
      await using server = await controlled();
      expect((await ctl(server, "worker add 2")).out).toBe("Workers: 1 -> 3\n");
      await settled(server, 3);
      expect((await ctl(server, "worker remove")).out).toBe("Workers: 3 -> 2\n");
      await settled(server, 2);
      expect((await ctl(server, "scale 1")).out).toBe("Workers: 2 -> 1\n");
      await settled(server, 1);
      expect((await ctl(server, "worker remove 5")).out).toBe("Workers: 1 -> 1\n");
      expect(await ctl(server, "scale 5000")).toEqual({
        code: 1,
        out: "",
        err: "Error: At most 1024 workers, got 5000\n",
      });
      expect(server.log).toMatch(/Handling command: worker add 2 \(uid:\d+ pid:\d+\)/);
    },
    limitMs,
  );

  test(
    "one worker",
    async () => {
      await using server = await controlled({ args: ["-w", "2"] });
      const before = await settled(server, 2);
      const [first = 0, second = 0] = before;
      expect((await ctl(server, `worker kill ${first}`)).out).toBe(
        `Worker ${first} is told to leave\n`,
      );
      await server.logged(`Worker (pid:${first}) is told to leave, by a command`);
      await server.logged(`Worker exiting (pid: ${first})`);
      expect(await settled(server, 2)).toContain(second);
      expect((await ctl(server, `worker restart ${second}`)).out).toBe(
        `Worker ${second} is being replaced\n`,
      );
      await server.logged(`Worker exiting (pid: ${second})`);
      const after = await settled(server, 2);
      expect(before.some((pid) => after.includes(pid))).toBe(false);
      expect(await ctl(server, `worker kill ${first}`)).toMatchObject({
        code: 1,
        err: `Error: Worker ${first} not found\n`,
      });
    },
    limitMs,
  );

  test(
    "the configuration, and waits for it",
    async () => {
      await using server = await controlled();
      writeFileSync(join(server.folder, "app.ts"), fetchApp("two"));
      expect(await ctl(server, "reload --wait")).toEqual({ code: 0, out: "Reloading\n", err: "" });
      expect(await (await server.fetch()).text()).toBe("two");
      expect(await ctlData(server, "show stats")).toMatchObject({ reloads: 1, generation: 2 });
      writeFileSync(join(server.folder, "app.ts"), "throw new Error('broken');");
      const failed = await ctl(server, "reload --wait");
      expect(failed).toMatchObject({ code: 1, out: "" });
      expect(failed.err).toMatch(
        /^Error: The reload has failed: worker \(pid:\d+\) of the new configuration failed to boot \(see the log\)\n$/,
      );
      expect(await (await server.fetch()).text()).toBe("two");
      expect(await ctlData(server, "show stats")).toMatchObject({ reload_failed: true });
      expect((await ctl(server, "show stats")).out).toContain("the last reload failed");
      writeFileSync(join(server.folder, "gunicorn.conf.ts"), "export default { workers: -1 };");
      expect((await ctl(server, "reload --wait")).err).toMatch(
        /^Error: The reload has failed: gunicorn\.conf\.ts: workers: .*-1.* \(see the log\)\n$/,
      );
    },
    limitMs,
  );

  test(
    "the level of the log, of workers too, until the next reload",
    async () => {
      const app = `import { log } from "${join(import.meta.dir, "../../src/index.ts")}";
        export const fetch = () => { log.debug("asked " + process.pid); return new Response("ok"); };`;
      await using server = await controlled({ files: { "app.ts": app } });
      expect(server.log).not.toContain("asked");
      expect((await ctl(server, "log-level debug")).out).toBe("Log level: info -> debug\n");
      await until("a line of the worker", async () => {
        await (await server.fetch()).text();
        return server.log.includes(`asked ${server.workers()[0]}`);
      });
      await ctl(server, "worker add");
      const [, second] = await settled(server, 2);
      await until("a line of a worker that came later", async () => {
        await (await server.fetch()).text();
        return server.log.includes(`asked ${second}`);
      });
      expect(await ctlData(server, "show config")).toMatchObject({ loglevel: "debug" });
      await ctl(server, "reload --wait");
      expect(await ctlData(server, "show config")).toMatchObject({ loglevel: "info" });
    },
    limitMs,
  );

  test(
    "no level that a logging configuration says",
    async () => {
      const config = `export const logconfigDict = { version: 1, root: { level: "INFO" } };`;
      await using server = await controlled({ files: { "gunicorn.conf.ts": config } });
      expect(await ctl(server, "log-level debug")).toMatchObject({
        code: 1,
        err: "Error: The level of the log is up to logger_class or the logging configuration\n",
      });
    },
    limitMs,
  );

  test(
    "the log file",
    async () => {
      await using server = await controlled({ args: ["--access-logfile", "access.log"] });
      const path = join(server.folder, "access.log");
      renameSync(path, `${path}.1`);
      expect((await ctl(server, "reopen")).out).toBe("Log files are opened anew\n");
      await until("the file", () => existsSync(path));
    },
    limitMs,
  );
});

describe("during a reload", () => {
  test(
    "commands are answered, and carried out",
    async () => {
      await using server = await controlled();
      const slow = `console.error("importing"); ${waitsForGo} ${fetchApp("two")}`;
      writeFileSync(join(server.folder, "app.ts"), slow);
      await ctl(server, "reload");
      await server.logged("importing");
      expect((await ctl(server, "show stats")).out).toStartWith(
        "State:           reloading, on trial\n",
      );
      expect((await ctl(server, "wait --ready --timeout 0.1")).code).toBe(4);
      expect((await ctl(server, "worker add")).out).toBe("Workers: 1 -> 2\n");
      const { workers } = await ctlData(server, "show workers");
      const all = workers as { readonly pid: number; readonly state: string }[];
      const pid = all.find(({ state }) => state === "booting")?.pid;
      expect(await ctl(server, `worker restart ${pid}`)).toMatchObject({
        code: 1,
        err: `Error: Worker ${pid} isn't ready, it is booting\n`,
      });
      server.go();
      expect((await ctl(server, "wait --ready")).code).toBe(0);
      expect(await settled(server, 2)).toHaveLength(2);
      expect(await (await server.fetch()).text()).toBe("two");
    },
    limitMs,
  );
});

describe("ctl drain", () => {
  test(
    "tells clients to go elsewhere, and serves on, until a reload",
    async () => {
      await using server = await controlled();
      const connection = async () =>
        (await server.fetch("/", { keepalive: true })).headers.get("connection");
      expect(await connection()).not.toBe("close");
      await ctl(server, "drain");
      await until("answers that say so", async () => (await connection()) === "close");
      expect(await (await server.fetch()).text()).toBe("one");
      expect((await ctl(server, "show stats")).out).toContain("State:           ready, draining\n");
      await ctl(server, "reload --wait");
      await until("answers that don't", async () => (await connection()) !== "close");
      expect(await ctlData(server, "show stats")).toMatchObject({ draining: false });
    },
    limitMs,
  );
});

describe("ctl shutdown", () => {
  test(
    "serves what is under way",
    async () => {
      const app = `export const fetch = async () => {
        console.error("asked");
        while (!(await Bun.file("go").exists())) await Bun.sleep(5);
        return new Response("done");
      };`;
      await using server = await controlled();
      writeFileSync(join(server.folder, "app.ts"), app);
      await ctl(server, "reload --wait");
      const answer = server.fetch();
      await server.logged("asked");
      expect((await ctl(server, "shutdown")).out).toBe("Shutting down, graceful\n");
      await server.logged("Handling signal: term");
      expect(await ctlData(server, "show stats")).toMatchObject({
        state: "stopping",
        stopping: "graceful",
        draining: true,
      });
      expect(await ctl(server, "reload")).toMatchObject({
        code: 1,
        err: "Error: The server is shutting down\n",
      });
      server.go();
      expect(await (await answer).text()).toBe("done");
      expect(await server.process.exited).toBe(0);
    },
    limitMs,
  );

  test(
    "--quick doesn't",
    async () => {
      await using server = await controlled();
      expect((await ctl(server, "shutdown --quick")).out).toBe("Shutting down, quick\n");
      expect(await server.process.exited).toBe(0);
      expect(server.log).toContain("Handling signal: quit");
      expect(await ctl(server, "show stats -s app.ctl")).toMatchObject({
        code: 3,
        err: `Error: Failed to connect to ${join(server.folder, "app.ctl")}: ENOENT\n`,
      });
    },
    limitMs,
  );
});

describe("ctl wait", () => {
  test(
    "waits for a server that isn't there yet, and no longer than it is told to",
    async () => {
      await using server = await controlled();
      const { code, err } = await ctl(server, "wait --ready --timeout 0.3 -s other.ctl");
      expect(code).toBe(4);
      expect(err).toMatch(
        /^Error: Not ready within 0.3 s: Failed to connect to .*other.ctl: ENOENT\n$/,
      );
      const waiting = ctl(server, "wait --ready -s later.ctl");
      renameSync(join(server.folder, "app.ctl"), join(server.folder, "later.ctl"));
      expect(await waiting).toEqual({ code: 0, out: "Ready\n", err: "" });
    },
    limitMs,
  );
});

/** `ctl top` on a terminal of 60 columns and 10 rows, once it has drawn; `screen`: all that it has written. */
async function topOnTerminal({ folder }: RunningServer) {
  let written = "";
  const child = Bun.spawn([process.execPath, program, "ctl", "top"], {
    cwd: folder,
    terminal: {
      cols: 60,
      rows: 10,
      data: (_terminal, bytes) => void (written += Buffer.from(bytes).toString()),
    },
  });
  const screen = () => written;
  await until("the table", () => screen().includes("sorts: slot"));
  return { child, screen };
}

describe("ctl top", () => {
  test(
    "prints one table where there is no terminal",
    async () => {
      await using server = await controlled({ args: ["-w", "2"] });
      await settled(server, 2);
      const { code, out } = await ctl(server, "top");
      expect(code).toBe(0);
      expect(out).toMatch(/^ready, up \d+s, 2 of 2 workers ready, generation 1\n/);
      expect(out).toMatch(/\nSLOT +PID +STATE +REQ\/S +BUSY +CONNS +MEMORY +SERVING\n/);
      const { stats, workers } = await ctlData(server, "top");
      expect([stats, workers]).toMatchObject([{ pid: server.pid }, [{ slot: 0 }, { slot: 1 }]]);
    },
    limitMs,
  );

  test(
    "draws on a terminal until q, and leaves it as it was",
    async () => {
      await using server = await controlled();
      const { child, screen } = await topOnTerminal(server);
      child.terminal?.write("s");
      await until("another order", () => screen().includes("sorts: rate"));
      child.terminal?.write("q");
      expect(await child.exited).toBe(0);
      await until("the end", () => screen().endsWith("\x1b[?25h\x1b[?1049l"));
      const lines = screen().split("\x1b[H")[1]?.split("\x1b[K") ?? [];
      expect(lines.length).toBeLessThanOrEqual(10);
      expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(60);
    },
    limitMs,
  );

  test(
    "ends when the server does",
    async () => {
      await using server = await controlled();
      const { child, screen } = await topOnTerminal(server);
      expect(await server.stop()).toBe(0);
      expect(await child.exited).toBe(3);
      await until("the reason", () => screen().includes("the server has closed the connection"));
    },
    limitMs,
  );
});

describe("ctl finds", () => {
  test(
    "the socket beside the pid file, or the only one that answers",
    async () => {
      await using server = await gunicorn({
        files: { "app.ts": fetchApp("one") },
        args: ["--control-socket", "auto", "-p", "run.pid"],
      });
      expect(lstatSync(join(server.folder, "run.ctl")).mode & 0o777).toBe(0o600);
      expect((await ctl(server, "show stats -p run.pid")).code).toBe(0);
      expect((await ctl(server, "show stats")).code).toBe(0);
      await using other = await gunicorn({
        files: { "app.ts": fetchApp("one") },
        args: ["--control-socket", join(server.folder, "other.ctl")],
      });
      const several = await ctl(server, "show stats");
      expect(several.code).toBe(2);
      expect(several.err).toContain("several servers answer, name one by --socket: ");
      expect(await other.stop()).toBe(0);
      expect((await ctl(server, "show stats")).code).toBe(0);
      expect(await server.stop()).toBe(0);
      expect(await ctl(server, "show stats")).toMatchObject({
        code: 3,
        err: `Error: No server with a control_socket found in ${server.folder}: name the socket by --socket, or the pid file by --pid; only a server that was started with --control-socket has one\n`,
      });
    },
    limitMs,
  );

  test(
    "one of auto in the user's runtime folder",
    async () => {
      await using other = await controlled();
      const env = { XDG_RUNTIME_DIR: other.folder };
      await using server = await gunicorn({
        files: { "app.ts": fetchApp("one") },
        args: ["--control-socket", "auto"],
        env,
      });
      await other.stop();
      expect(existsSync(join(other.folder, `gunicorn-ts-${server.pid}.ctl`))).toBe(true);
      expect((await ctl(server, "show stats", { env })).code).toBe(0);
    },
    limitMs,
  );
});
