/** Signals that come before the master serves: while it reads the configuration, preloads, and tries to open its sockets. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { masterSignals } from "../../src/arbiter/decide/master-signals.ts";
import { type ServerOptions, start, until } from "../support/server.ts";

const app = `export const fetch = () => new Response("ok");`;
const slowApp = `console.error("importing", process.pid); await Bun.sleep(600_000);${app}`;

const stops = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;
const others = ["SIGHUP", "SIGUSR1", "SIGTTIN", "SIGTTOU", "SIGWINCH"] as const;

/** One that nobody else gets when it is free again. */
function takePort() {
  return Bun.listen({ hostname: "127.0.0.1", port: freePort(), socket: { data() {} } });
}

interface Stage {
  readonly options: Omit<ServerOptions, "bind">;
  /** What is seen on standard error when the stage is reached. */
  readonly reached: RegExp;
  /** The log is open by then. */
  readonly logs: boolean;
}

const stages: Readonly<Record<string, Stage>> = {
  "reads a configuration that waits": {
    options: {
      files: {
        "app.ts": app,
        "gunicorn.conf.ts": `console.error("reading"); await Bun.sleep(600_000);`,
      },
      args: ["-p", "run.pid"],
    },
    reached: /reading/,
    logs: false,
  },
  "reads a configuration that blocks": {
    options: {
      files: {
        "app.ts": app,
        "gunicorn.conf.ts": `import { existsSync } from "node:fs";
          console.error("reading"); while (!existsSync("go")) Bun.sleepSync(5); export const backlog = 9;`,
      },
      // Not reached: the signal is taken as soon as the file lets go.
      args: ["-p", "nowhere/run.pid"],
    },
    reached: /reading/,
    logs: false,
  },
  preloads: {
    options: { files: { "app.ts": slowApp }, args: ["-p", "run.pid", "--preload"] },
    reached: /importing/,
    logs: true,
  },
  "tries to bind": {
    options: { files: { "app.ts": app }, args: ["-p", "run.pid"] },
    reached: /Connection in use/,
    logs: true,
  },
};

describe.each(Object.entries(stages))("a master that %s", (_stage, { options, reached, logs }) => {
  test.each(stops)("ends in order by %s, and leaves nothing behind", async (signal) => {
    using taken = takePort();
    const bind = ["unix:run.sock", `127.0.0.1:${taken.port}`];
    await using server = start({ ...options, bind });
    await server.logged(reached);
    server.process.kill(signal);
    // The signal waits while the file blocks.
    server.go();
    expect(await server.process.exited).toBe(0);
    expect(readdirSync(server.folder).filter((name) => name.startsWith("run."))).toEqual([]);
    await until("its children to end", () => server.ended());
    if (logs) {
      expect(server.log).toContain(`[INFO] Handling signal: ${masterSignals[signal]}\n`);
      expect(server.log).toMatch(/\[INFO\] Shutting down: Master\n$/);
    } else expect(server.log).toEndWith(`Stopped by ${signal} before the start was through\n`);
  });
});

test.each(others)("%s waits for the loop while the master tries to bind", async (signal) => {
  const taken = takePort();
  const bind = ["unix:run.sock", `127.0.0.1:${taken.port}`];
  await using server = start({ files: { "app.ts": app }, bind });
  const seen = await server.logged("Connection in use");
  server.process.kill(signal);
  taken.stop(true);
  const listening = await server.logged("Listening at", seen);
  await server.logged(`Handling signal: ${masterSignals[signal]}`, listening);
  expect(await server.stop()).toBe(0);
});

test("the hooks of a start that was ended: on_exit where on_starting has run", async () => {
  using taken = takePort();
  const config = `export const onStarting = () => console.error("on_starting");
    export const onExit = () => console.error("on_exit");`;
  const files = { "app.ts": app, "gunicorn.conf.ts": config };
  await using server = start({ files, bind: [`127.0.0.1:${taken.port}`] });
  await server.logged("Connection in use");
  expect(await server.stop()).toBe(0);
  expect(server.log).toMatch(/on_starting\n[^]*Shutting down: Master\non_exit\n$/);
});

describe("a daemon that isn't up yet", () => {
  // The launcher shows what the daemon has written only when that has failed.
  const telling = `import { renameSync, writeFileSync } from "node:fs";
    writeFileSync("new", String(process.ppid)); renameSync("new", "preloader");`;

  test.each(["launcher", "daemon"] as const)(
    "TERM to the %s ends both, exit code 1",
    async (whom) => {
      await using server = start({
        files: { "app.ts": telling + slowApp },
        args: ["-D", "--preload", "-p", "run.pid"],
      });
      const file = join(server.folder, "preloader");
      await until("the import", () => existsSync(file));
      const master = Number(readFileSync(file, "utf8"));
      expect(master).toBeGreaterThan(1);
      process.kill(whom === "launcher" ? server.process.pid : master, "SIGTERM");
      // It was asked for a server that runs.
      expect(await server.process.exited).toBe(1);
      expect(server.log).toContain("Handling signal: term");
      // Whoever waits for its end by a pipe is a moment ahead of the kernel.
      await until("the master's end", () => !existsSync(`/proc/${master}`));
      expect(existsSync(join(server.folder, "run.pid"))).toBe(false);
    },
  );
});

test.each(["--check-config", "--print-config"])("%s ends by INT as any program", async (flag) => {
  const config = `console.error("reading"); await Bun.sleep(600_000);`;
  const files = { "app.ts": app, "gunicorn.conf.ts": config };
  await using server = start({ files, args: [flag] });
  await server.logged(/reading/);
  server.process.kill("SIGINT");
  expect(await server.process.exited).toBe(130);
});
