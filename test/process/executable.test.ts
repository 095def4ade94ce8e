/** One file with Bun and the server inside, and one with an app too: what they serve, and how one follows another. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  copyFileSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Executables } from "../support/packaging/executable.ts";
import { lossOf, plannedEvents } from "../support/loads/losses.ts";
import {
  allReplaced,
  gunicorn,
  type RunningServer,
  type ServerOptions,
  until,
} from "../support/server.ts";
import { startNew } from "../support/upgrades.ts";

setDefaultTimeout(300_000);

const executables = new Executables();
let server = "";

beforeAll(async () => {
  server = await executables.make("gunicorn-ts");
});
afterAll(() => executables[Symbol.dispose]());

/** Nothing is found by it: no Bun, npm or node, and no shell. */
const env = { PATH: "/nowhere" };

const serve = (options: ServerOptions): Promise<RunningServer> =>
  gunicorn({ executable: server, env, ...options });

const hello = `export const fetch = () => new Response("hello", { headers: { "x-pid": String(process.pid) } });`;

const pathsOfCompiler = { compilerOptions: { paths: { "~/*": ["./lib/*"] } } };
const installed = {
  "node_modules/greeting/package.json": `{ "name": "greeting", "main": "main.cjs" }`,
  "node_modules/greeting/main.cjs": `module.exports = { greet: (name) => "hello " + name };`,
};

interface Expected {
  readonly args?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly secure?: boolean;
  readonly says?: string;
  readonly logged?: RegExp;
}

const apps: [claim: string, text: string, expected: Expected][] = [
  ["a function", hello, {}],
  ["over TLS", hello, { secure: true }],
  ["by class sync", hello, { args: ["-k", "sync"], logged: /Using worker: sync/ }],
  ["by class serve", hello, { args: ["-k", "serve"], logged: /Using worker: serve/ }],
  ["by class serve over TLS", hello, { args: ["-k", "serve"], secure: true }],
  ["by preload_app", hello, { args: ["--preload"] }],
  ["with an access log", hello, { args: ["--access-logfile", "-"], logged: /"GET \/ HTTP/ }],
  [
    "TypeScript that imports a file, a path of the compiler's and a package of its own",
    `import { greet } from "greeting";
    import { name } from "./name.ts";
    import { mark } from "~/mark";
    interface Asked { readonly url: string }
    export const fetch = ({ url }: Asked): Response => new Response(greet(name) + mark + new URL(url).pathname);`,
    {
      files: {
        ...installed,
        "name.ts": `export const name: string = "you";`,
        "lib/mark.ts": `export const mark = "!" as const;`,
        "tsconfig.json": JSON.stringify(pathsOfCompiler),
      },
      says: "hello you!/",
    },
  ],
  [
    "an app that calls Bun.serve",
    `Bun.serve({ routes: { "/": new Response("captured") }, fetch: () => new Response("no") });`,
    { says: "captured" },
  ],
  [
    "a node listener that listens by itself",
    `import { createServer } from "node:http";
    createServer((req, res) => res.end("by " + req.method)).listen(3000);`,
    { says: "by GET" },
  ],
  [
    "an app and a configuration that import gunicorn-ts, which is the server's own, installed or not",
    `import { log } from "gunicorn-ts";
    import * as all from "gunicorn-ts";
    log.warning("said by the app: " + (require("gunicorn-ts").log === all.log));
    ${hello}`,
    {
      files: {
        "node_modules/gunicorn-ts/package.json": `{ "name": "gunicorn-ts", "main": "none.js" }`,
        "gunicorn.conf.ts": `import { defineConfig, log } from "gunicorn-ts";
        export default defineConfig({ onStarting: () => log.info("hook of the master") });`,
      },
      logged: /hook of the master[\s\S]*\[WARNING\] said by the app: true/,
    },
  ],
  [
    "a logger class that extends the server's own",
    `import { Logger } from "gunicorn-ts";
    export class Loud extends Logger { info(message) { super.info(message + ", loudly"); } }
    ${hello}`,
    {
      args: ["--logger-class", "./app.ts:Loud"],
      logged: /Booting worker with pid: \d+, loudly/,
    },
  ],
  [
    "the stack of what an app throws, in its own lines",
    `export const fetch = (): Response => { throw new Error("on purpose"); };`,
    { says: "Internal Server Error", logged: /Error: on purpose\n\s+at fetch \(.*app\.ts:1:\d+\)/ },
  ],
];

test.each(apps)("without Bun on PATH it serves: %s", async (_claim, text, expected) => {
  const { args = [], files = {}, secure = false, says = "hello", logged } = expected;
  await using running = await serve({ files: { ...files, "app.ts": text }, args, secure });
  expect(await (await running.fetch()).text()).toContain(says);
  if (logged !== undefined) await running.logged(logged);
  expect(await running.stop()).toBe(0);
});

test("it obeys HUP, TTIN and TTOU, and workers that die are followed", async () => {
  await using running = await serve({ files: { "app.ts": hello }, args: ["-w", "2"] });
  const before = await running.settled(2);
  running.kill("SIGHUP");
  await allReplaced(() => running.workers(), before);
  running.kill("SIGTTIN");
  const [first = 0] = await running.settled(3);
  process.kill(first, "SIGKILL");
  await until("a new worker", () => !running.workers().includes(first));
  await running.settled(3);
  running.kill("SIGTTOU");
  await running.settled(2);
  expect(await running.stop("SIGINT")).toBe(0);
});

test("its workers are of its own version, whatever has its name by now, and USR2 takes that", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  const [current, next] = ["current", "next"].map((name) => join(folder, name)) as [string, string];
  copyFileSync(await executables.make("first", hello.replace("hello", "first")), current);
  copyFileSync(await executables.make("second", hello.replace("hello", "second")), next);
  await using running = await serve({ folder, executable: current, app: null });
  const text = async () => (await running.fetch()).text();
  expect(await text()).toBe("first");
  const old = running.pid;
  renameSync(next, current);
  const before = await running.settled(1);
  running.kill("SIGHUP");
  await allReplaced(() => running.workers(), before);
  expect(await text()).toBe("first");
  const [, master] = await startNew(running, 1);
  process.kill(old, "SIGQUIT");
  await running.logged("Master has been promoted.");
  expect(await text()).toBe("second");
  expect(readlinkSync(`/proc/${master}/exe`)).toBe(current);
  process.kill(master, "SIGTERM");
  await until("the end of all processes", () => running.ended());
});

test("an app inside needs no file: its name is the title's, and another app can be named", async () => {
  const site = await executables.make(
    "site",
    `export default { fetch: () => new Response("inside") };`,
  );
  await using running = await serve({ executable: site, app: null, args: ["--preload"] });
  expect(await (await running.fetch()).text()).toBe("inside");
  const title = await Bun.file(`/proc/${running.pid}/cmdline`).text();
  expect(title.replaceAll("\0", "").trimEnd()).toBe("gunicorn: master [./site-app]");
  await using other = await serve({ executable: site, files: { "other.ts": hello }, app: "other" });
  expect(await (await other.fetch()).text()).toBe("hello");
});

test("an app inside is told of production, or of what is said where it runs", async () => {
  const modes = "[process.env.NODE_ENV, process.env['NODE_ENV']].join()";
  const site = await executables.make(
    "modes",
    `export const fetch = () => new Response(${modes});`,
  );
  const said = async (env: Readonly<Record<string, string>>) => {
    await using running = await serve({ executable: site, app: null, env });
    return await (await running.fetch()).text();
  };
  expect(await said({})).toBe("production,production");
  expect(await said({ NODE_ENV: "test" })).toBe("test,test");
});

const shapes: [claim: string, text: string, says: string][] = [
  ["a named export", `export const fetch = () => new Response("named");`, "named"],
  ["CommonJS", `module.exports = { fetch: () => new Response("cjs") };`, "cjs"],
  ["a call of Bun.serve", `Bun.serve({ fetch: () => new Response("captured") });`, "captured"],
  ["a default that comes from another file", `export { default } from "./site-app.ts";`, "inside"],
  [
    "what imports gunicorn-ts",
    `import { log } from "gunicorn-ts"; log.info("from within"); ${hello}`,
    "hello",
  ],
];

test.each(shapes)("an app inside may be %s", async (_claim, text, says) => {
  const site = await executables.make("shape", text);
  await using running = await serve({ executable: site, app: null });
  expect(await (await running.fetch()).text()).toBe(says);
  if (text.includes("log")) await running.logged(/\[INFO\] from within/);
  expect(await running.stop()).toBe(0);
});

const lossRows = ["HUP", "max_requests 100", "USR2, WINCH, QUIT"];

test.each(plannedEvents.filter(({ name }) => lossRows.includes(name)))(
  "no request is lost by it: $name",
  async (event) => {
    const { requests, failures } = await lossOf({ ...event, executable: server }, 2000, 1);
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(2000);
  },
);

/** Runs an executable with words, in a folder with an app. */
async function told(words: readonly string[], through: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  writeFileSync(join(folder, "app.ts"), hello);
  writeFileSync(join(folder, "stranger.ts"), `import "left-pad"; ${hello}`);
  await using run = Bun.spawn([...through, server, ...words], {
    cwd: folder,
    env: { ...env, HOME: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = (await Promise.all([run.stdout.text(), run.stderr.text()])).join("");
  rmSync(folder, { recursive: true });
  return { text, code: await run.exited };
}

test.each([
  [["--version"], /^gunicorn-ts \(version \d/, 0],
  [["--help"], /--workers=<INT>/, 0],
  [["ctl", "--help"], /reload/, 0],
  [["--print-config", "app"], /worker_class\s*= async/, 0],
  [["--request", "GET /", "app"], /\n\nhello/, 0],
  [["--workers", "x"], /invalid int value/, 2],
  [["--certfile", "none.pem", "app"], /Error: --certfile: /, 1],
  [["-b", "127.0.0.1:0", "none"], /none/, 4],
  // Not fetched from a registry, though there is no node_modules.
  [["-b", "127.0.0.1:0", "stranger"], /Cannot find package 'left-pad'/, 3],
  [["build", "app", "-o", "site"], /an executable builds no other/, 1],
] as const)("%j ends as it does with Bun", async (words, says, code) => {
  const { text, code: ended } = await told(words);
  expect(text).toMatch(says);
  expect(ended).toBe(code);
});

test.each([
  [[], /-o is missing/, 2],
  [["a", "b", "-o", "site"], /one APP_MODULE is taken, got: a b/, 2],
  [["-o", "site", "--target", "linux-x64-musl"], /--target: linux-x64 or linux-arm64, got/, 2],
  [["-o", "site", "--minify"], /Unknown option '--minify'/, 2],
  [["none", "-o", "site"], /Error: No module named 'none'/, 4],
  [["./broken", "-o", "site"], /Error: site: .*broken\.ts:1:\d+: /, 1],
  [["-o", "none/site"], /Error: none\/site: ENOENT/, 1],
  [["--help"], /^usage: gunicorn-ts build/, 0],
] as const)("build %j is answered", async (words, says, code) => {
  const { told: text, code: ended } = await executables.run(words, {
    "broken.ts": "export const = 1;",
  });
  expect(text).toMatch(says);
  expect(ended).toBe(code);
});
