/** Without any capability, as an ordinary user or in a container: every signal does what it does for root. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunicorn, type RunningServer, until, waitsForGo } from "../support/server.ts";
import { asNobody, canBeNobody, folderForAll } from "../support/unprivileged.ts";
import { latestMaster } from "../support/upgrades.ts";

const limitMs = 120_000;

/** What asks for /slow is answered when the test says so. */
const app = `export const fetch = async (request) => {
  if (request.url.endsWith("/slow")) { console.log("asked"); ${waitsForGo} }
  return new Response("whole");
};
`;

const config = `import { readFileSync } from "node:fs";
export const bind = readFileSync("binds", "utf8").split(" ");
`;

async function nobodysServer(
  args: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  return gunicorn({
    folder: folderForAll(),
    through: asNobody,
    files: { "app.ts": app, ...files },
    args: ["--pid", "pid", ...args],
    ...("gunicorn.conf.ts" in files ? { bind: [] } : {}),
  });
}

async function answer(url: string): Promise<string> {
  const response = await fetch(url, { keepalive: false });
  return response.text();
}

function expectCleanEnd(server: RunningServer, code: number): void {
  expect({ code, log: server.log }).toEqual({ code: 0, log: expect.anything() });
  expect(server.log).not.toMatch(/CRITICAL|ERROR|Unhandled|Operation not permitted/);
  expect(existsSync(join(server.folder, "pid"))).toBe(false);
}

// Reason: root without setpriv can't run a program as somebody else.
describe.skipIf(!canBeNobody)("as an ordinary user", () => {
  test.each([
    ["several workers", ["-w", "3"]],
    ["one worker", []],
    ["one socket for all", ["-w", "2", "--no-reuse-port"]],
    ["drain_delay", ["--drain-delay", "1"]],
    ["a unix socket too", ["-b", "unix:socket"]],
    ["worker class serve", ["-k", "serve"]],
  ])(
    "TERM answers what has come, %s",
    async (_claim, args) => {
      await using server = await nobodysServer(args);
      const from = server.log.length;
      const answered = answer(`${server.url}/slow`);
      await server.logged("asked", from);
      const code = server.stop("SIGTERM");
      await server.logged("Handling signal: term", from);
      server.go();
      expect(await answered).toBe("whole");
      expectCleanEnd(server, await code);
    },
    limitMs,
  );

  test.each(["SIGINT", "SIGQUIT"] as const)(
    "%s ends it at once, with exit code 0",
    async (signal) => {
      await using server = await nobodysServer(["-w", "2"]);
      expectCleanEnd(server, await server.stop(signal));
    },
    limitMs,
  );

  test(
    "HUP that drops one of two binds leaves the other",
    async () => {
      const files = { "gunicorn.conf.ts": config, binds: "127.0.0.1:0 127.0.0.2:0" };
      await using server = await nobodysServer(["-w", "2"], files);
      const [, other = ""] = /Listening at: \S+,(http:\/\/127\.0\.0\.2:\d+)/.exec(server.log) ?? [];
      expect(await answer(`${other}/`)).toBe("whole");
      writeFileSync(join(server.folder, "binds"), "127.0.0.1:0");
      const old = server.workers();
      server.kill("SIGHUP");
      await until("the new workers", () => {
        const now = server.workers();
        return now.length === 2 && now.every((pid) => !old.includes(pid));
      });
      expect(await answer(server.url)).toBe("whole");
      await until("the other address to close", async () => {
        const answered = await answer(`${other}/`).catch(() => "refused");
        return answered === "refused";
      });
      expectCleanEnd(server, await server.stop());
    },
    limitMs,
  );

  test(
    "TTIN and TTOU change the number of workers",
    async () => {
      await using server = await nobodysServer(["-w", "2"]);
      server.kill("SIGTTIN");
      await server.settled(3);
      server.kill("SIGTTOU");
      await server.settled(2);
      server.kill("SIGTTOU");
      await server.settled(1);
      expect(await answer(server.url)).toBe("whole");
      expectCleanEnd(server, await server.stop());
    },
    limitMs,
  );

  test(
    "USR2 and QUIT hand the sockets to a new master, who stops as well",
    async () => {
      await using server = await nobodysServer(["-w", "2"]);
      const { pid } = server;
      server.kill("SIGUSR2");
      await until("the new master", () => latestMaster(server) !== pid);
      const next = latestMaster(server);
      await server.logged(`[${next}] [INFO] Using worker`);
      process.kill(pid, "SIGQUIT");
      expect(await server.process.exited).toBe(0);
      await server.logged("Master has been promoted.");
      expect(await answer(server.url)).toBe("whole");
      await until("the pid file", () => {
        const path = join(server.folder, "pid");
        return existsSync(path) && Number(readFileSync(path, "utf8")) === next;
      });
      process.kill(next, "SIGTERM");
      await until("the end", () => server.ended());
      expectCleanEnd(server, 0);
    },
    limitMs,
  );
});
