/** The examples, each run by the command of examples/README.md and asked for what it shows. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needsPackages } from "../frameworks/installed.ts";
import { descriptorsOf } from "../support/descriptors.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";

const root = join(import.meta.dir, "../..");
const readme = readFileSync(join(root, "examples/README.md"), "utf8");

/** What an example's row of the page has as its command, by the file that it links to. */
const commands = new Map(
  [...readme.matchAll(/^\| \[[^\]]+\]\(([^)]+)\).*\| `gunicorn-ts ([^`]+)`/gm)].map(
    ([, file = "", words = ""]) => [file, words] as const,
  ),
);

/** The examples with what they import, where a user would have both. */
const installed = mkdtempSync(join(tmpdir(), "gunicorn-ts-examples-"));

beforeAll(() => {
  cpSync(join(root, "examples"), installed, { recursive: true });
  mkdirSync(join(installed, "node_modules"));
  symlinkSync(root, join(installed, "node_modules/gunicorn-ts"));
  const packages = join(root, "test/frameworks/node_modules");
  if (needsPackages === "") symlinkSync(packages, join(installed, "frameworks/node_modules"));
});

afterAll(() => rmSync(installed, { recursive: true }));

/** A folder with all examples, as it is installed. */
function examplesFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  cpSync(installed, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

interface Run {
  readonly env?: Record<string, string>;
  readonly speaksHttp?: boolean;
  readonly folder?: string;
}

/** Starts an example; waits until it answers HTTP, unless it speaks something else. */
async function run(
  file: string,
  { env = {}, speaksHttp = true, folder = examplesFolder() }: Run = {},
): Promise<RunningServer> {
  const args = (commands.get(file) ?? "no command").split(" ");
  const server = await (speaksHttp ? gunicorn : start)({ folder, app: null, args, env });
  if (!speaksHttp) await server.logged("Using worker:");
  return server;
}

async function ask(server: RunningServer, target: string, init?: RequestInit): Promise<string> {
  const response = await fetch(new URL(target, server.url), { keepalive: false, ...init });
  return `${response.status} ${await response.text()}`;
}

test("each example has its command in examples/README.md, and is run here", () => {
  const files = [...new Bun.Glob("**/*.ts").scanSync(join(root, "examples"))].sort();
  expect(files.length).toBeGreaterThan(10);
  expect([...commands.keys()].sort()).toEqual(files);
  const source = readFileSync(import.meta.path, "utf8");
  expect(files.filter((file) => !source.includes(`"${file}"`))).toEqual([]);
});

test("the versions of examples/frameworks are those that test/frameworks has", async () => {
  const [ours, tested] = await Promise.all(
    ["examples/frameworks", "test/frameworks"].map(async (folder) => {
      const file = Bun.file(join(root, folder, "package.json"));
      const { dependencies } = (await file.json()) as { dependencies: Record<string, string> };
      return dependencies;
    }),
  );
  expect(tested).toMatchObject(ours ?? {});
});

const get = {};
const post = { method: "POST", headers: { "content-type": "application/json" } };

test.each([
  ["hello.ts", "/", get, "200 Hello, World!\n"],
  ["hello.ts", "/echo", { method: "POST", body: "echoed" }, "200 echoed"],
  ["node-http.ts", "/a?b", get, "200 GET /a?b from 127.0.0.1\n"],
  ["config/gunicorn.conf.ts", "/", get, "200 Hello, World!\n"],
  ["files.ts", "/hello.ts", { headers: { range: "bytes=0-2" } }, "206 /**"],
  ["files.ts", "/..%2fpackage.json", get, "404 Not found\n"],
  ["files.ts", "/config", get, "404 Not found\n"],
] as const)(
  "%s answers %s",
  async (file, target, init, answer) => {
    await using server = await run(file);
    expect(await ask(server, target, init)).toBe(answer);
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test.skipIf(needsPackages !== "").each([
  ["frameworks/hono.ts", "/events", get, "200 data: 1\n\ndata: 2\n\ndata: 3\n\n"],
  ["frameworks/hono.ts", "/echo", { ...post, body: `{"name":"x"}` }, `200 {"name":"x"}`],
  ["frameworks/elysia.ts", "/echo", { ...post, body: `{"name":"x"}` }, `200 {"name":"x"}`],
  ["frameworks/express.ts", "/echo", { ...post, body: `{"name":"x"}` }, `200 {"name":"x"}`],
  ["frameworks/fastify.ts", "/echo", { ...post, body: `{"name":"x"}` }, `200 {"name":"x"}`],
] as const)(
  `%s answers %s${needsPackages}`,
  async (file, target, init, answer) => {
    await using server = await run(file);
    expect(await ask(server, target, init)).toBe(answer);
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test("chat.ts: a message reaches the others, in every worker", async () => {
  await using server = await run("chat.ts");
  await server.settled(2);
  const url = server.url.replace("http", "ws");
  const heard: string[][] = [];
  const guests = await Promise.all(
    ["a", "b", "c", "d", "e", "f"].map(async (name) => {
      const guest = new WebSocket(`${url}?name=${name}`);
      const words: string[] = [];
      heard.push(words);
      guest.addEventListener("message", ({ data }) => void words.push(String(data)));
      await new Promise((resolve, reject) => {
        guest.addEventListener("open", resolve);
        guest.addEventListener("error", reject);
      });
      return guest;
    }),
  );
  // A worker whose subscription is on its way hears the next message.
  await until("all have heard", () => {
    guests[0]?.send("hello");
    return heard.slice(1).every((words) => words.includes("a: hello"));
  });
  expect(heard[0]).not.toContain("a: hello");
  for (const guest of guests) guest.close();
  expect(await server.stop()).toBe(0);
}, 120_000);

test("events.ts: the generator ends with its client", async () => {
  await using server = await run("events.ts");
  const leaving = new AbortController();
  const response = await fetch(new URL("/events", server.url), { signal: leaving.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n\n")) text += decoder.decode((await reader.read()).value);
  expect(text).toMatch(/^data: \d{4}-.*Z\n\n/);
  leaving.abort();
  // Of each worker.
  let alone = 0;
  await until("nobody listens", async () => {
    alone = (await ask(server, "/listeners")) === `200 {"listeners":0}` ? alone + 1 : 0;
    return alone >= 10;
  });
  expect(await server.stop()).toBe(0);
}, 120_000);

test("cron.ts: slot 0 alone does the job, and after a reload its successor", async () => {
  await using server = await run("cron.ts", { env: { EVERY_MS: "20" } });
  await server.settled(2);
  await server.logged("run 3 of slot 0");
  server.kill("SIGHUP");
  await server.logged("Worker exiting");
  // It may have begun while the old one was still there.
  await until("its successor", () => server.log.split("run 3 of slot 0").length > 2);
  const slots = [...server.log.matchAll(/Cleaned up, run \d+ of slot (\d+)/g)];
  expect(new Set(slots.map(([, slot]) => slot))).toEqual(new Set(["0"]));
  expect(await server.stop()).toBe(0);
}, 120_000);

test("database.ts: workers share the database, over a reload too", async () => {
  await using server = await run("database.ts");
  const first = await server.settled(2);
  // The start has asked for some.
  for (let count = 0; count < 3; count += 1) await ask(server, "/page");
  server.kill("SIGHUP");
  await until("new workers", () => server.workers().every((pid) => !first.includes(pid)));
  await server.settled(2);
  expect(await ask(server, "/page")).toBe(`200 {"path":"/page","visits":4}`);
  expect(await server.stop()).toBe(0);
}, 120_000);

test("database.ts waits for another that writes to a new database", async () => {
  const folder = examplesFolder();
  const path = join(folder, "visits.sqlite");
  using other = new Database(path);
  other.run("BEGIN IMMEDIATE");
  await using server = await run("database.ts", { folder, speaksHttp: false });
  await until("the workers have opened it", () => {
    const pids = server.workers();
    return (
      pids.length === 2 && pids.every((pid) => descriptorsOf(pid).some(([, what]) => what === path))
    );
  });
  other.run("ROLLBACK");
  await until("an answer", async () => (await server.fetch("/page").catch(() => null))?.ok);
  expect(await server.stop()).toBe(0);
  expect(server.log).not.toContain("database is locked");
}, 120_000);

test("scgi.ts speaks SCGI", async () => {
  await using server = await run("scgi.ts", { speaksHttp: false });
  const head = [
    "CONTENT_LENGTH",
    "0",
    "SCGI",
    "1",
    "REQUEST_METHOD",
    "GET",
    "REQUEST_URI",
    "/",
    "",
  ];
  const fields = head.join("\0");
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = "";
  await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: {
      open: (socket) => void socket.write(`${fields.length}:${fields},`),
      data: (_, bytes) => void (answer += bytes.toString()),
      close: () => resolve(answer),
    },
  });
  expect(await promise).toEndWith("\r\n\r\nHello, World!\n");
  expect(await server.stop()).toBe(0);
}, 120_000);
