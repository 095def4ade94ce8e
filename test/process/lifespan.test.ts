/** startup and shutdown of an app, and which of the workers one is. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunicorn, start, until, waitsForGo } from "../support/server.ts";

/** Notes in a file what happens, in order. */
const app = `import { appendFileSync } from "node:fs";
const note = (what) => appendFileSync("events", what + "\\n");
let ready = false;
export const startup = async () => { note("startup"); await Bun.sleep(50); ready = true; };
export const shutdown = async () => { await Bun.sleep(50); note("shutdown"); };
export const fetch = async (request) => {
  if (new URL(request.url).pathname === "/slow") { note("asked"); ${waitsForGo} note("answered"); }
  return new Response(String(ready));
};
process.on("SIGTERM", () => note("SIGTERM"));
`;

const eventsOf = (folder: string) =>
  readFileSync(join(folder, "events"), "utf8").trim().split("\n");

describe.each([["async"], ["serve"]])("-k %s", (kind) => {
  test("startup comes before the first request, shutdown behind the last", async () => {
    await using server = await gunicorn({ files: { "app.ts": app }, args: ["-k", kind] });
    expect(await (await fetch(server.url)).text()).toBe("true");
    const slow = fetch(new URL("/slow", server.url));
    await until("the request", () => eventsOf(server.folder).includes("asked"));
    const stopping = server.stop();
    await server.logged("Handling signal: term");
    server.go();
    expect((await slow).status).toBe(200);
    expect(await stopping).toBe(0);
    expect(eventsOf(server.folder)).toEqual([
      "startup",
      "asked",
      "answered",
      "shutdown",
      "SIGTERM",
    ]);
  });

  test("a startup that fails ends the start with its reason and exit code 3", async () => {
    const text = `export const startup = async () => { throw new Error("no database"); };
      export const fetch = () => new Response("never");`;
    await using server = start({ files: { "app.ts": text }, args: ["-k", kind, "-w", "2"] });
    expect(await server.process.exited).toBe(3);
    expect(server.log).toContain("The app's startup failed: Error: no database");
    expect(server.log).toContain("Worker failed to boot.");
  });
});

test("at a reload a startup that fails leaves the workers as they are", async () => {
  const text = (answer: string) => `import { existsSync } from "node:fs";
    export const startup = () => { if (existsSync("broken")) throw new Error("no database"); };
    export const fetch = () => new Response(${JSON.stringify(answer)});`;
  await using server = await gunicorn({ files: { "app.ts": text("old") } });
  await Bun.write(join(server.folder, "broken"), "");
  server.kill("SIGHUP");
  await server.logged(/The app's startup failed: Error: no database/);
  await server.logged(/Reload failed/);
  expect(await (await fetch(server.url)).text()).toBe("old");
  expect(await server.stop()).toBe(0);
});

test("a shutdown that throws, and one that takes too long, are told, and the exit code stays 0", async () => {
  const text = (body: string) =>
    `export const shutdown = () => { ${body} }; export const fetch = () => new Response("ok");`;
  await using throwing = await gunicorn({ files: { "app.ts": text(`throw new Error("stuck");`) } });
  expect(await throwing.stop()).toBe(0);
  expect(throwing.log).toContain("Exception in the app's shutdown:\nError: stuck");
  await using hanging = await gunicorn({
    files: { "app.ts": text("return new Promise(() => {});") },
    args: ["--graceful-timeout", "1"],
  });
  expect(await hanging.stop()).toBe(0);
  expect(hanging.log).toContain("The app's shutdown takes too long, and is cut");
});

test.each([
  ["off", ["false"], []],
  ["on", ["true"], ["startup", "shutdown", "SIGTERM"]],
])("asgi_lifespan %s", async (mode, answers, events) => {
  await using server = await gunicorn({
    files: { "app.ts": app, events: "" },
    args: ["--asgi-lifespan", mode],
  });
  expect([await (await fetch(server.url)).text()]).toEqual(answers);
  expect(await server.stop()).toBe(0);
  const seen = eventsOf(server.folder).filter((event) => mode === "on" || event !== "SIGTERM");
  expect(seen.filter((event) => event !== "")).toEqual(events);
});

test.each([[[]], [["--check-config"]]])(
  "asgi_lifespan on without the exports is refused, with %j",
  async (args) => {
    await using server = start({
      files: { "app.ts": `export const fetch = () => new Response("never");` },
      args: ["--asgi-lifespan", "on", ...args],
    });
    expect(await server.process.exited).toBe(args.length === 0 ? 4 : 1);
    expect(server.log).toContain("app.ts exports neither startup nor shutdown");
  },
);

test("GUNICORN_SLOT, GUNICORN_WORKERS and server.slot name one of N, and a successor has the same", async () => {
  const text = `const { GUNICORN_SLOT, GUNICORN_WORKERS } = process.env;
    export const fetch = (_request, server) => new Response(\`\${GUNICORN_SLOT} \${GUNICORN_WORKERS} \${server.slot}\`);`;
  await using server = await gunicorn({ files: { "app.ts": text }, args: ["-w", "3"] });
  const slots = async () => {
    const seen = new Set<string>();
    await until("all slots", async () => {
      seen.add(await (await fetch(server.url, { keepalive: false })).text());
      return seen.size >= 3;
    });
    return [...seen].sort();
  };
  const expected = ["0 3 0", "1 3 1", "2 3 2"];
  expect(await slots()).toEqual(expected);
  const before = await server.settled(3);
  server.kill("SIGHUP");
  await until("successors", () => server.workers().every((pid) => !before.includes(pid)));
  await server.settled(3);
  expect(await slots()).toEqual(expected);
  expect(await server.stop()).toBe(0);
}, 120_000);
