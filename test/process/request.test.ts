/** --request: the app is asked without a port, its answer is printed, and the exit code says how it was. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { program } from "../support/server.ts";
import { asNobody, canBeNobody, folderForAll } from "../support/unprivileged.ts";

const app = `import { appendFileSync } from "node:fs";
console.log("printed by the app");
export const startup = () => appendFileSync("events", "startup ");
export const shutdown = () => appendFileSync("events", "shutdown ");
let count = 0;
export const fetch = async (request, server) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/health") return new Response("fine", { headers: { "x-count": String(++count) } });
  if (pathname === "/404") return new Response("nothing", { status: 404 });
  if (pathname === "/500") return new Response("broken", { status: 500 });
  if (pathname === "/thrown") throw new Error("thrown here");
  if (pathname === "/moved") return Response.redirect("/health", 302);
  if (pathname === "/empty") return new Response(null, { status: 204 });
  if (pathname === "/binary") return new Response(new Uint8Array([0, 255, 10, 13, 128, 10]));
  if (pathname === "/large") return new Response("x".repeat(1024 * 1024));
  if (pathname === "/stream") return new Response((async function* () { yield "one "; await null; yield "two"; })());
  if (pathname === "/hang") return new Promise(() => {});
  if (pathname === "/spin") for (;;);
  if (pathname === "/exit") process.exit(0);
  if (pathname === "/env") return Response.json([process.env.COLOUR, process.env.NODE_ENV, process.env.GUNICORN_SLOT, process.cwd()]);
  if (pathname === "/echo") return new Response(request.method + " " + request.headers.get("x-own") + " " + request.headers.get("host") + " " + await request.text());
  return new Response("?", { status: 404 });
};
`;

const files = {
  "app.ts": app,
  "script.ts": `Bun.serve({ port: 3000, fetch: () => new Response("of a script") });`,
  "routes.ts": `export default { fetch: () => new Response("no route", { status: 404 }), routes: { "/item/:id": (request) => new Response("item " + request.params.id) } };`,
  "failing.ts": `export const startup = () => { throw new Error("no startup today"); }; export const fetch = () => new Response("ok");`,
  "leaving.ts": `process.exit(0);`,
  "waiting.ts": `await new Promise((resolve) => setTimeout(resolve, 1e9)); export const fetch = () => new Response("ok");`,
  "sub/app.ts": `export const fetch = () => new Response("in sub");`,
  "body.json": `{"a":1}`,
  "hooks.ts": `export default {
    preRequest: (worker, { target }) => worker.log.info("pre " + target),
    postRequest: (worker, { target }) => worker.log.info("post " + target),
    whenReady: () => console.error("a hook of the master"),
    accesslog: "-", errorlog: "error.log", daemon: true, pidfile: "here.pid", statsdHost: "127.0.0.1:8125",
  };`,
};

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
  /** What stands in the file that the app's startup and shutdown write. */
  readonly events: string;
}

interface RunOptions {
  readonly env?: Record<string, string>;
  /** A script whose $0 and arguments are the command. */
  readonly shell?: string | null;
  /** A command that runs it. */
  readonly through?: readonly string[];
}

/** Runs the command to its end in a folder of its own. */
async function run(
  words: readonly string[],
  { env = {}, shell = null, through = [] }: RunOptions = {},
): Promise<Outcome> {
  const folder = folderForAll();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const command = [...through, process.execPath, program, ...words];
  await using child = Bun.spawn(shell === null ? command : ["bash", "-c", shell, ...command], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
  const code = await child.exited;
  const events = Bun.file(join(folder, "events"));
  const told = (await events.exists()) ? await events.text() : "";
  rmSync(folder, { recursive: true });
  return { stdout: Buffer.from(stdout).toString("latin1"), stderr, code, events: told };
}

/** An answer, without its date. */
function answer(status: string, fields: readonly string[], body: string): string {
  return [`HTTP/1.1 ${status}`, ...fields, "", body].join("\n");
}

/** Without the fields that every server may order as it likes. */
function plain(stdout: string): string {
  return stdout.replaceAll(/^(?:date|server|connection): .*\n/gim, "");
}

describe.each(["async", "sync", "serve"])("with worker class %s", (name) => {
  const ask = (target: string, ...more: string[]) =>
    run(["-k", name, "--request", `GET ${target}`, ...more]);

  test.each<[claim: string, target: string, code: number, pattern: RegExp]>([
    [
      "2xx",
      "/health",
      0,
      /^HTTP\/1\.1 200 OK\n(?:[\w-]+: .*\n)*x-count: 1\n(?:[\w-]+: .*\n)*\nfine$/i,
    ],
    ["no body", "/empty", 0, /^HTTP\/1\.1 204 No Content\n(?:[\w-]+: .*\n)*\n$/],
    [
      "a redirect, which isn't followed",
      "/moved",
      0,
      /^HTTP\/1\.1 302 Found\n[^]*location: \/health\n/i,
    ],
    ["404", "/404", 1, /^HTTP\/1\.1 404 Not Found\n[^]*\n\nnothing$/],
    ["500", "/500", 1, /^HTTP\/1\.1 500 Internal Server Error\n[^]*\n\nbroken$/],
    ["a stream, without its chunks", "/stream", 0, /\n\none two$/],
    ["bytes as they are", "/binary", 0, /\n\n\0\xff\n\r\x80\n$/],
    ["a large body", "/large", 0, /\n\nx{1048576}$/],
  ])("%s", async (_claim, target, code, pattern) => {
    const outcome = await ask(target, "app");
    expect(outcome.stdout).toMatch(pattern);
    expect(outcome).toMatchObject({ code, events: "startup shutdown " });
    // What the app prints, and the log.
    expect(outcome.stderr).toContain("printed by the app\n");
    expect(outcome.stderr).toContain("Booting worker with pid");
  });

  test("a thrown error is a 500, and told on standard error", async () => {
    const { stdout, stderr, code } = await ask("/thrown", "app");
    expect(stdout).toStartWith("HTTP/1.1 500 Internal Server Error\n");
    expect(stderr).toContain("Error: thrown here");
    expect(code).toBe(1);
  });

  test("two requests, one after the other, each from the start of a line", async () => {
    const two = ["--request", "HEAD /health", "--request", "GET /404", "app"];
    const { stdout, code } = await ask("/health", ...two);
    const [first, second, third, ...none] = stdout.split(/^(?=HTTP\/1\.1 )/m);
    expect(none).toEqual([]);
    expect(first).toEndWith("\n\nfine\n");
    expect(second).toMatch(/^HTTP\/1\.1 200 OK\n[^]*x-count: 2\n[^]*\n\n$/i);
    expect(third).toEndWith("\n\nnothing");
    expect(code).toBe(1);
  });

  test("fields and bodies belong to the request in front of them", async () => {
    const post = [
      "--request-header",
      "X-Own: yes",
      "--request-body",
      "a text",
      "--request",
      "PUT /echo",
    ];
    const put = ["--request-header=Host: example.org", "--request-body", "@body.json", "app"];
    const { stdout, code } = await run(["-k", name, "--request", "POST /echo", ...post, ...put]);
    expect(stdout).toContain("\n\nPOST yes localhost a text\nHTTP/1.1 200");
    expect(stdout).toEndWith('\n\nPUT null example.org {"a":1}');
    expect(code).toBe(0);
  });

  test("a script that calls Bun.serve opens no port either", async () => {
    const { stdout, code } = await ask("/", "script.ts");
    expect(stdout).toEndWith("\n\nof a script");
    expect(code).toBe(0);
  });

  test.each([["/hang"], ["/spin"]])(
    "%s ends with timeout, and what would come next isn't asked",
    async (target) => {
      // Long enough for a loaded machine to load the app.
      const next = ["--request", "GET /health", "--timeout", "5", "app"];
      const { stdout, stderr, code } = await ask(target, ...next);
      expect(stdout).toBe("");
      expect(stderr).toContain(`Error: GET ${target}: no whole answer within 5 s (timeout)\n`);
      expect(code).toBe(1);
    },
    120_000,
  );

  test("an app that ends its process gives no answer", async () => {
    const { stdout, stderr, code } = await ask("/exit", "app");
    expect(stdout).toBe("");
    expect(stderr).toContain("Error: GET /exit: the connection has ended before a whole answer\n");
    expect(code).toBe(1);
  });

  test("a pipe that is closed early is no failure", async () => {
    const shell = `"$0" "$@" | head -1; echo "code \${PIPESTATUS[0]}"`;
    const { stdout, stderr, events } = await run(["-k", name, "--request", "GET /large", "app"], {
      shell,
    });
    expect(stdout).toBe("HTTP/1.1 200 OK\ncode 0\n");
    expect(stderr).not.toContain("EPIPE");
    expect(events).toBe("startup shutdown ");
  });

  test.each<[claim: string, words: string[], code: number, message: string]>([
    ["no such app", ["none:app"], 4, "No module named 'none'"],
    ["a startup that fails", ["failing"], 3, "The app's startup failed: Error: no startup today"],
    [
      "an app that leaves",
      ["leaving"],
      3,
      "The app has ended its process with exit code 0 before it was loaded\n",
    ],
    [
      "an app that never comes",
      ["--timeout", "1", "waiting"],
      3,
      "Error: the app isn't loaded within 1 s (timeout)\n",
    ],
    ["no such setting", ["--x", "app"], 2, "unrecognized arguments: --x"],
    ["a wrong value", ["--max-requests", "-1", "app"], 1, "--max-requests: must be at least 0"],
  ])(
    "%s ends with the code of a start",
    async (_claim, words, code, message) => {
      const outcome = await ask("/", ...words);
      expect(outcome.stderr).toContain(message);
      expect(outcome).toMatchObject({ code, stdout: "" });
    },
    120_000,
  );
});

test.each(["serve", "async", "sync"])("routes are asked with worker class %s", async (kind) => {
  const outcome = await run(["-k", kind, "--request", "GET /item/7", "routes.ts"]);
  expect(outcome.stdout).toEndWith("\n\nitem 7");
  expect(outcome.code).toBe(0);
});

test("chdir, raw_env, NODE_ENV and the limits hold as in a worker", async () => {
  const words = ["-e", "COLOUR=blue", "--request", "GET /env", "app"];
  const { stdout } = await run(words);
  expect(stdout).toMatch(/\n\n\["blue","production","0",".*"\]$/);
  expect((await run(["--chdir", "sub", "--request", "GET /", "app"])).stdout).toEndWith("in sub");
  const long = await run([
    "--limit-request-line",
    "20",
    "--request",
    `GET /${"a".repeat(30)}`,
    "app",
  ]);
  expect(long.stdout).toStartWith("HTTP/1.1 414 ");
  expect(long.code).toBe(1);
});

test("hooks of requests are called, none of the master's; logs go to standard error, and nowhere else", async () => {
  const { stdout, stderr, code } = await run(["-c", "hooks.ts", "--request", "GET /health", "app"]);
  expect(stderr).toMatch(/pre \/health\n[^]*post \/health\n/);
  expect(stderr).not.toContain("a hook of the master");
  expect(plain(stdout)).toBe(
    answer(
      "200 OK",
      ["x-count: 1", "Content-Type: text/plain;charset=utf-8", "Content-Length: 4"],
      "fine",
    ),
  );
  expect(code).toBe(0);
});

test("several requests on one worker use up no max_requests", async () => {
  const words = [
    "--max-requests",
    "1",
    "--request",
    "GET /health",
    "--request",
    "GET /health",
    "app",
  ];
  expect((await run(words)).code).toBe(0);
});

test.each<[words: string[], message: string]>([
  [["--request", "/health"], "argument --request: must be METHOD PATH, got '/health'"],
  [["--request", "GET /a b"], "argument --request: must be METHOD PATH, got 'GET /a b'"],
  [
    ["--request", "GET /a\r\nX: y"],
    "argument --request: must be METHOD PATH, got 'GET /a\r\nX: y'",
  ],
  [["--request"], "argument --request: expected one argument"],
  [
    ["--request-body", "a"],
    "argument --request-body: must stand behind the --request that it belongs to",
  ],
  [
    ["--request-header", "A: b"],
    "argument --request-header: must stand behind the --request that it belongs to",
  ],
  [
    ["--request", "GET /", "--request-header", "A"],
    "argument --request-header: must be NAME: VALUE, got 'A'",
  ],
  [
    ["--request", "GET /", "--request-header", "A: b\r\nC: d"],
    "argument --request-header: must be NAME: VALUE, got 'A: b\r\nC: d'",
  ],
  [
    ["--request", "GET /", "--request-body", "a", "--request-body", "b"],
    "argument --request-body: a request has one body",
  ],
  [
    ["--request", "GET /", "--check-config", "app"],
    "--request and --check-config are two commands",
  ],
])("%j is a usage error", async (words, message) => {
  const { stdout, stderr, code } = await run(words);
  expect(stderr).toEndWith(`gunicorn-ts: error: ${message}\n`);
  expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
});

test("GUNICORN_CMD_ARGS takes no requests, and the file of a body must be there", async () => {
  const env = { GUNICORN_CMD_ARGS: "--request 'GET /'" };
  const inherited = await run(["app"], { env });
  expect(inherited.stderr).toEndWith("GUNICORN_CMD_ARGS: --request belongs on the command line\n");
  expect(inherited.code).toBe(2);
  const missing = await run(["--request", "POST /", "--request-body", "@none", "app"]);
  expect(missing.stderr).toStartWith("Error: --request-body: ENOENT: no such file or directory");
  expect(missing.code).toBe(1);
});

test.skipIf(!canBeNobody)(
  "who can't change user and group is told, and the app is asked",
  async () => {
    const words = ["--user", "root", "--request", "GET /health", "app"];
    const { stdout, stderr, code } = await run(words, { through: asNobody });
    expect(stderr).toStartWith(
      "Warning: user and group are ignored by --request: user: only root can change it, got 'root', ",
    );
    expect(stdout).toEndWith("fine");
    expect(code).toBe(0);
  },
);

test("a worker class of one's own is asked too, as far as it speaks HTTP", async () => {
  const scgi = `${join(import.meta.dir, "../../examples/scgi.ts")}:ScgiServing`;
  const { stdout, stderr, code } = await run(["-k", scgi, "--request", "GET /health", "app"]);
  expect(stderr).toContain("Error: GET /health: the connection has ended before a whole answer\n");
  expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
});
