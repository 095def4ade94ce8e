/** The package's bundle in place of the sources: each of its programs, and what apps share with the server. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readIfThere } from "../../bench/process-tree.ts";
import { settingEntries } from "../../src/config/settings.ts";
import { adminArgs, adminUrl, askAdmin } from "../support/admin.ts";
import { install } from "../support/packaging/package.ts";
import { gunicorn, type RunningServer, type ServerOptions, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";
import { startNew } from "../support/upgrades.ts";
import { version } from "../../package.json";

/** Where the package is installed. */
const home = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
const place = join(home, "node_modules/gunicorn-ts");
const program = join(place, "bin/gunicorn-ts.ts");

beforeAll(() => install(home), 120_000);
afterAll(() => rmSync(home, { recursive: true }));

/** Starts the package's program beside an app that finds the same package. */
async function serve(options: ServerOptions): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  symlinkSync(join(home, "node_modules"), join(folder, "node_modules"));
  return gunicorn({ program, folder, ...options });
}

/** Files of the bundle, by their paths in it. */
function bundled(): string[] {
  return [...new Bun.Glob("**/*.js").scanSync(join(place, "dist"))];
}

test("it is plain modules, of which any version of Bun makes its own code", () => {
  const texts = bundled().map((file) => readFileSync(join(place, "dist", file), "utf8"));
  expect(texts.length).toBeGreaterThan(0);
  expect(texts.filter((text) => /^\/\/ @bun.*(@bytecode|-cjs)/m.test(text))).toEqual([]);
  expect([...new Bun.Glob("**/*.jsc").scanSync(place)]).toEqual([]);
});

test("nothing in it remembers the machine that it was made on", () => {
  const found = bundled().filter((file) => {
    // But for the lines that say where each module was: a copy is packed whose node_modules is a link to the project's.
    const text = readFileSync(join(place, "dist", file), "utf8").replace(/^\/\/ .*$/gm, "");
    return text.includes("gunicorn-ts-copy-") || text.includes(process.cwd());
  });
  expect(found).toEqual([]);
});

test("of settings' descriptions it has the first line, and prints the same help", async () => {
  const texts = bundled()
    .map((file) => readFileSync(join(place, "dist", file), "utf8"))
    .join("\n");
  // Those of hooks are short, and no help has them.
  const rows = settingEntries.filter(([, { kind }]) => kind.takes !== "function");
  const descriptions = rows.map(([, { description }]) => description.split("\n"));
  const details = descriptions.flatMap(([, second = ""]) => (second.length > 40 ? [second] : []));
  expect(details.length).toBeGreaterThan(50);
  expect(details.filter((line) => texts.includes(line.slice(0, 40)))).toEqual([]);
  const help = (file: string) => Bun.spawn([process.execPath, file, "--help"]).stdout.text();
  expect(await help(program)).toBe(await help(join(import.meta.dir, "../../bin/gunicorn-ts.ts")));
});

test("apps are told that it is production, unless somebody says otherwise", async () => {
  const files = { "app.ts": "export const fetch = () => new Response(process.env.NODE_ENV);" };
  const said = async (env: Readonly<Record<string, string>>) => {
    await using server = await serve({ files, env });
    return await (await server.fetch()).text();
  };
  expect([await said({}), await said({ NODE_ENV: "" }), await said({ NODE_ENV: "test" })]).toEqual([
    "production",
    "production",
    "test",
  ]);
});

const hello = `export const fetch = () => new Response("hello", { headers: { "x-pid": String(process.pid) } });`;
const [http, tls] = [false, true];

/** What an app is, how it is served, and what of its answer and its log tells that it was. */
const apps: [
  claim: string,
  args: string[],
  secure: boolean,
  text: string,
  says: string,
  RegExp | null,
][] = [
  ["a function", [], http, hello, "hello", null],
  ["over TLS", [], tls, hello, "hello", null],
  ["on class sync", ["-k", "sync"], http, hello, "hello", /Using worker: sync/],
  ["on class serve", ["-k", "serve"], http, hello, "hello", /Using worker: serve/],
  ["on class serve over TLS", ["-k", "serve"], tls, hello, "hello", null],
  [
    "a framework's object, whose fetch needs its this",
    [],
    http,
    `class Hono { #routes = { "/": () => new Response("routed") };
      fetch(request) { return this.#routes[new URL(request.url).pathname](); } }
    export default new Hono();`,
    "routed",
    null,
  ],
  [
    "a node listener that listens by itself",
    [],
    http,
    `import { createServer } from "node:http";
    const app = (req, res) => res.end("by " + req.method);
    createServer(app).listen(3000);`,
    "by GET",
    null,
  ],
  [
    "an app that calls Bun.serve",
    [],
    http,
    `Bun.serve({ routes: { "/": new Response("captured") }, fetch: () => new Response("no") });`,
    "captured",
    null,
  ],
  [
    "the log of the package is the server's",
    [],
    http,
    `import { log } from "gunicorn-ts"; log.warning("said by the app"); ${hello}`,
    "hello",
    /\[WARNING\] said by the app/,
  ],
  [
    "also by require()",
    [],
    http,
    `const { log } = require("gunicorn-ts"); log.warning("said by the app"); ${hello}`,
    "hello",
    /\[WARNING\] said by the app/,
  ],
  [
    "a logger class extends the server's own",
    ["--logger-class", "./app.ts:Loud", "--access-logfile", "-"],
    http,
    `import { Logger } from "gunicorn-ts";
    export class Loud extends Logger { info(message) { super.info(message + ", loudly"); } }
    ${hello}`,
    "hello",
    /Booting worker with pid: \d+, loudly/,
  ],
  [
    "a worker class of the user's own",
    ["-k", "./app.ts:Own"],
    http,
    `export class Own {
      #context; #listener;
      constructor(context) { this.#context = context; }
      listen() {
        const [{ fd }] = this.#context.listeners;
        const answer = "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 3\\r\\n\\r\\nown";
        this.#listener = Bun.listen({ fd, socket: { data: (socket) => void socket.end(answer) } });
      }
      windDown() {}
      async close() {}
      async drain() { this.#listener.stop(); }
    }
    ${hello}`,
    "own",
    null,
  ],
  ["preload_app", ["--preload"], http, hello, "hello", null],
  ["an access log", ["--access-logfile", "-"], http, hello, "hello", /"GET \/ HTTP\/1\.1" 200/],
  [
    "the stack of what an app throws",
    [],
    http,
    `export const fetch = () => { throw new Error("on purpose"); };`,
    "Internal Server Error",
    /Error: on purpose\n\s+at fetch \(.*app\.ts:1:\d+\)/,
  ],
];

test.each(apps)(
  "it serves: %s",
  async (_claim, args, secure, text, says, logged) => {
    await using server = await serve({ files: { "app.ts": text }, args, secure });
    expect(await (await server.fetch()).text()).toContain(says);
    if (logged !== null) await server.logged(logged);
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test("it serves a file by its name, with websockets, PROXY headers, JSON logs, hooks and statsD", async () => {
  const app = `
    export default {
      fetch: (request, server) => server.upgrade(request) ? undefined : new Response("no websocket"),
      websocket: { message: (socket, text) => void socket.send("heard " + text) },
    };`;
  const config = `
    import { defineConfig, log } from "gunicorn-ts";
    export default defineConfig({
      proxyProtocol: "auto", logFormat: "json", accesslog: "access.log", statsdHost: "127.0.0.1:9", enrichResponse: true,
      onStarting: () => log.info("hook of the master"),
      postFork: () => log.info("hook of a worker"),
    });`;
  await using server = await serve({
    files: { "server.ts": app, "gunicorn.conf.ts": config },
    app: "server.ts",
  });
  const client = new Client(server.url);
  await until("the websocket", () => client.isOpen);
  client.send("you");
  await client.hears("heard you");
  await server.logged(/hook of the master[\s\S]*hook of a worker/);
  expect(await server.stop()).toBe(0);
}, 120_000);

test("it has the page of the admin server", async () => {
  await using server = await serve({ files: { "app.ts": hello }, args: [...adminArgs] });
  const page = await askAdmin(await adminUrl(server), "/");
  expect(page.headers.get("content-security-policy")).toContain("script-src 'sha256-");
  expect(await page.text()).toContain("void watch();");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("it reloads, and obeys HUP with another app and another log", async () => {
  await using server = await serve({ files: { "app.ts": hello }, args: ["--preload", "--reload"] });
  writeFileSync(join(server.folder, "app.ts"), hello.replace("hello", "edited"));
  await until("the edited app", async () => (await (await server.fetch()).text()) === "edited");
  writeFileSync(
    join(server.folder, "gunicorn.conf.ts"),
    `export default { errorlog: "error.log", workers: 2 };`,
  );
  server.kill("SIGHUP");
  const errorLog = join(server.folder, "error.log");
  // Where the boots of both are: standard error had those of the workers before.
  await until("two workers that its log has", () => {
    const log = readIfThere(errorLog) ?? "";
    const pids = server.workers();
    return pids.length === 2 && pids.every((pid) => log.includes(`with pid: ${pid}`));
  });
  expect(await server.stop()).toBe(0);
}, 120_000);

test("USR2 takes the next version of the package, when the last one is gone from the disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  const [first, second] = ["first", "second"].map((name) => join(folder, name)) as [string, string];
  for (const each of [first, second]) cpSync(place, each, { recursive: true });
  for (const file of bundled()) {
    const path = join(second, "dist", file);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replaceAll(`"${version}"`, '"99.0.0"'));
  }
  const current = join(folder, "current");
  symlinkSync(first, current);
  await using server = await gunicorn({
    folder,
    files: { "app.ts": hello },
    program: join(current, "bin/gunicorn-ts.ts"),
  });
  const old = server.pid;
  rmSync(first, { recursive: true });
  unlinkSync(current);
  symlinkSync(second, current);
  const [, next] = await startNew(server, 1);
  await server.logged("Starting gunicorn-ts 99.0.0");
  process.kill(old, "SIGQUIT");
  await server.logged("Master has been promoted.");
  expect(await (await server.fetch()).text()).toBe("hello");
  process.kill(next, "SIGTERM");
  await until("the end of all processes", () => server.ended());
}, 120_000);

test("it makes an executable, with an app inside", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  writeFileSync(join(folder, "site.ts"), hello);
  const run = Bun.spawnSync([process.execPath, program, "build", "./site.ts", "-o", "site"], {
    cwd: folder,
  });
  expect(run.stderr.toString()).toBe("");
  expect(run.stdout.toString()).toMatch(/^site: \d{2,3} MB, for linux-(x64|arm64)\n$/);
  await using server = await gunicorn({ folder, executable: join(folder, "site"), app: null });
  expect(await (await server.fetch()).text()).toBe("hello");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("a reload that needs a file of its version, which is gone, changes nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  cpSync(place, join(folder, "package"), { recursive: true });
  await using server = await gunicorn({
    folder,
    files: { "app.ts": hello },
    program: join(folder, "package/bin/gunicorn-ts.ts"),
  });
  for (const file of bundled().filter((each) => each.startsWith("log-file-"))) {
    unlinkSync(join(folder, "package/dist", file));
  }
  const workers = server.workers();
  writeFileSync(join(folder, "gunicorn.conf.ts"), `export default { errorlog: "error.log" };`);
  server.kill("SIGHUP");
  await server.logged(/\[ERROR\] .*log-file-/);
  expect(server.workers()).toEqual(workers);
  expect(await (await server.fetch()).text()).toBe("hello");
  expect(await server.stop()).toBe(0);
}, 120_000);

test.each([
  [["--help"], /--workers=<INT>/, 0],
  [["ctl", "--help"], /reload/, 0],
  [["--print-config", "app"], /worker_class\s*= async/, 0],
  [["--workers", "x"], /invalid int value/, 2],
  [["--certfile", "none.pem", "app"], /Error: --certfile: /, 1],
  [["-b", "127.0.0.1:0", "none"], /none/, 4],
] as const)(
  "%j ends as the sources do",
  async (words, says, code) => {
    const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
    writeFileSync(join(folder, "app.ts"), hello);
    await using run = Bun.spawn([process.execPath, program, ...words], {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const told = (await Promise.all([run.stdout.text(), run.stderr.text()])).join("");
    expect(told).toMatch(says);
    expect(await run.exited).toBe(code);
    rmSync(folder, { recursive: true });
  },
  120_000,
);
