import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { daemon, readProc } from "../support/daemon.ts";
import { targetOf } from "../support/descriptors.ts";
import { start, until } from "../support/server.ts";

const onLinux = process.platform === "linux";
/** So that no idle connection holds up the end. */
const brief = { keepalive: false };

const logWarning =
  "Warning: the daemon's error log goes to /dev/null, name a file by --error-logfile to keep it\n";

/** Writes where it serves, as nobody reads the daemon's log. */
const app = `export default {
  fetch: (request, server) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/env") return Response.json(process.env);
    if (pathname === "/ids") return Response.json({ pid: process.pid, ppid: process.ppid, cwd: process.cwd() });
    console.log("said");
    return new Response("ok");
  },
};`;

const config = `import { writeFileSync } from "node:fs";
export const whenReady = (server) => writeFileSync("url", server.address[0]);`;

const files = { "app.ts": app, "gunicorn.conf.ts": config };

test.skipIf(!onLinux)("-D returns when the server serves, and leaves it alone", async () => {
  await using server = daemon({ files, args: ["-w", "2"] });
  expect(await server.launched()).toBe(0);
  const { folder } = server.launcher;
  const url = readFileSync(join(folder, "url"), "utf8");
  // At once: the launcher has waited.
  expect(await (await fetch(url, brief)).text()).toBe("ok");
  const ids = (await (await fetch(`${url}/ids`, brief)).json()) as Record<string, unknown>;
  const master = server.pid();
  expect(ids).toMatchObject({ ppid: master, cwd: folder });
  expect(server.launcher.log).toBe(logWarning);

  // A session of its own, without a terminal, and the streams of both nowhere.
  const [, , , session, terminal] = readProc(`${master}/stat`).split(") ")[1]?.split(" ") ?? [];
  expect([session, terminal]).toEqual([String(master), "0"]);
  for (const pid of [master, Number(ids["pid"])]) {
    await until("standard streams at /dev/null", () =>
      [0, 1, 2].every((fd) => targetOf(pid, fd) === "/dev/null"),
    );
  }

  const env = (await (await fetch(`${url}/env`, brief)).json()) as Record<string, string>;
  // Nothing of how the daemon was started; a worker knows which of N it is.
  expect(
    Object.keys(env)
      .filter((name) => name.startsWith("GUNICORN"))
      .sort(),
  ).toEqual(["GUNICORN_SLOT", "GUNICORN_WORKERS"]);

  process.kill(master, "SIGTERM");
  await server.gone();
  expect(existsSync(join(folder, "pid"))).toBe(false);
});

test.skipIf(!onLinux)("relative paths of a daemon mean what they mean without -D", async () => {
  const nested = { "site/app.ts": app, "conf/gunicorn.ts": config };
  const args = ["-c", "conf/gunicorn.ts", "--chdir", "site", "-p", "../run.pid"];
  await using server = daemon({ files: nested, args });
  expect(await server.launched()).toBe(0);
  const { folder } = server.launcher;
  const url = readFileSync(join(folder, "site/url"), "utf8");
  expect(await (await fetch(`${url}/ids`)).json()).toMatchObject({ cwd: join(folder, "site") });
  expect(existsSync(join(folder, "run.pid"))).toBe(true);
});

interface Failure {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly bind?: readonly string[];
  readonly code: number;
  readonly says: RegExp;
}

const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });

const failures: readonly Failure[] = [
  {
    name: "an app that throws",
    files: { "app.ts": `console.log("importing"); throw new Error("on purpose");` },
    code: 3,
    says: /importing\n[^]*Error: on purpose\n[^]*\[ERROR\] Reason: Worker failed to boot\.\n$/,
  },
  {
    name: "an app that isn't there",
    files: {},
    code: 4,
    says: /\[ERROR\] Reason: App failed to load\.\n$/,
  },
  {
    name: "an address in use",
    files,
    bind: [`127.0.0.1:${taken.port}`],
    code: 1,
    says: /Connection in use: [^]*\nError: Can't connect to /,
  },
  {
    name: "a pid file in a folder that isn't there",
    files,
    args: ["-p", "nowhere/pid"],
    code: 1,
    says: /\nError: --pid: \/.*\/nowhere doesn't exist\. Can't create pidfile\.\n$/,
  },
  {
    name: "a wrong setting, which no daemon is needed for",
    files,
    args: ["-w", "0"],
    code: 1,
    says: /^Error: --workers: must be at least 1, got 0\n$/,
  },
  {
    name: "a hook that throws",
    files: {
      ...files,
      "gunicorn.conf.ts": `export const onStarting = () => { throw new Error("on purpose"); };`,
    },
    code: 1,
    says: /Error: on purpose\n/,
  },
  {
    name: "a death by a signal",
    files: {
      ...files,
      "gunicorn.conf.ts": `export const onStarting = () => process.kill(process.pid, "SIGKILL");`,
    },
    code: 137,
    says: /Starting gunicorn-ts .*\n$/,
  },
];

test.skipIf(!onLinux).each(failures)(
  "the launcher tells of $name",
  async ({ files, args, bind = ["127.0.0.1:0"], code, says }) => {
    await using server = daemon({ files, bind, ...(args === undefined ? {} : { args }) });
    expect(await server.launched()).toBe(code);
    expect(server.launcher.log).toMatch(says);
    await server.gone();
    expect(existsSync(join(server.launcher.folder, "pid"))).toBe(code === 137);
  },
  120_000,
);

test.skipIf(!onLinux)("a signal to the launcher ends a daemon that isn't up", async () => {
  const slow = {
    "app.ts": `await Bun.write("begun", ""); await new Promise(() => setInterval(() => {}, 1000));`,
  };
  await using server = daemon({ files: slow, args: ["--graceful-timeout", "1"] });
  await until("the import", () => existsSync(join(server.launcher.folder, "begun")));
  server.launcher.process.kill("SIGINT");
  expect(await server.launched()).not.toBe(0);
  await server.gone();
});

test.skipIf(!onLinux)("-R keeps standard output and error that aren't terminals", async () => {
  await using server = daemon({ files, args: ["-R"] });
  const { launcher } = server;
  expect(await server.launched()).toBe(0);
  expect(launcher.log).toContain("[INFO] Listening at: ");
  expect(launcher.log).not.toContain("Warning: ");
  await fetch(launcher.url);
  await launcher.logged("said");
  await until("standard input at /dev/null", () => targetOf(server.pid(), 0) === "/dev/null");
});

test.skipIf(!onLinux)("-D with NOTIFY_SOCKET is warned of", async () => {
  await using server = daemon({ files, env: { NOTIFY_SOCKET: "/nowhere" } });
  expect(await server.launched()).toBe(0);
  expect(server.launcher.log).toBe(
    "Warning: you shouldn't specify `daemon = True` when launching by systemd with `Type = notify`\n" +
      logWarning,
  );
});

test.skipIf(!onLinux)("a daemon leaves nothing in the folder for temporary files", async () => {
  await using server = daemon({ files: { ...files, "tmp/mine": "" }, env: { TMPDIR: "tmp" } });
  expect(await server.launched()).toBe(0);
  expect(readdirSync(join(server.launcher.folder, "tmp"))).toEqual(["mine"]);
});

test.skipIf(!onLinux)("a daemon's umask is 022 unless one is set", async () => {
  const umask = `export const fetch = () => new Response(process.umask().toString(8));`;
  for (const [args, expected] of [
    [[], "22"],
    [["-m", "0027"], "27"],
  ] as const) {
    await using server = daemon({ files: { ...files, "app.ts": umask }, args });
    expect(await server.launched()).toBe(0);
    const url = readFileSync(join(server.launcher.folder, "url"), "utf8");
    expect(await (await fetch(url)).text()).toBe(expected);
  }
});

test("print-config and check-config don't start a daemon", async () => {
  await using server = start({ files, args: ["-D", "--check-config"] });
  expect(await server.process.exited).toBe(0);
  expect(server.log).toBe("");
});
