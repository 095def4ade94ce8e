import { expect, test } from "bun:test";
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { isRoot, needsRoot } from "../support/needs.ts";
import { gunicorn, start, until } from "../support/server.ts";

const app = `console.error("imported in", process.pid, process.cwd(), process.env.COLOUR);
export const fetch = () => new Response(String(process.pid));`;

test("--preload imports the app once more, before the first line of the log", async () => {
  await using server = await gunicorn({
    files: { "site/app.ts": app },
    args: ["--preload", "--chdir", "site", "-e", "COLOUR=blue"],
  });
  const site = join(server.folder, "site");
  const imports = await until("both imports", () => {
    const found = [...server.log.matchAll(/^imported in (\d+) (.*)$/gm)];
    return found.length === 2 ? found : null;
  });
  expect(imports.map((found) => found[2])).toEqual([`${site} blue`, `${site} blue`]);
  expect(server.log.indexOf("imported")).toBe(0);
  const serving = await (await fetch(server.url)).text();
  expect(imports.map((found) => found[1] === serving)).toEqual([false, true]);
  // The process of the first import has gone.
  expect(existsSync(`/proc/${imports[0]?.[1]}`)).toBe(false);
});

test.each([
  ["plain", false, ["127.0.0.1:0"], "http://127.0.0.1:8000/ http 8000"],
  ["TLS", true, ["https://127.0.0.1:0"], "https://127.0.0.1:8000/ https 8000"],
  ["a unix socket", false, ["unix:s.sock", "127.0.0.1:0"], "unix://FOLDER/s.sock http undefined"],
  [
    "TLS beside",
    true,
    ["http://127.0.0.1:0", "https://127.0.0.1:0"],
    "http://127.0.0.1:8000/ http 8000",
  ],
])("an app that listens is told of the address: %s", async (_, secure, bind, told) => {
  const text = `const { url, protocol, port } = Bun.serve({ fetch: () => new Response("hello") });
    console.log("told", String(url), protocol, port);`;
  await using server = start({ secure, files: { "app.ts": text }, bind, args: ["--preload"] });
  await server.logged("Using worker:");
  const folder = realpathSync(server.folder);
  const [first] = /^told .*$/m.exec(server.log) ?? [];
  expect(first?.replace(folder, "FOLDER")).toBe(`told ${told}`);
});

test.each([
  ["throws", `throw new Error("on purpose");`, "app", /Error: on purpose\n.*at .*app\.ts:1/],
  ["isn't one", `export const version = "1";`, "app", /app\.ts exports "version" \(string\)/],
  ["isn't there", ``, "nowhere", /'nowhere'/],
  ["ends the process", `process.exit(7);`, "app", /it ended the process with exit code 7\n$/],
  ["kills itself", `process.kill(process.pid, 9);`, "app", /the process with SIGKILL\n$/],
  ["has a syntax error", `export const fetch = (`, "app", /app\.ts:1/],
])("an app that %s: exit code 1, and no port is taken", async (_claim, text, reference, says) => {
  const files = { "app.ts": text };
  await using server = start({ files, app: reference, args: ["--preload", "-p", "run.pid"] });
  expect(await server.process.exited).toBe(1);
  expect(server.log).toMatch(/^Error: --preload: while loading the application:\n\n/);
  expect(server.log).toMatch(says);
  expect(server.log).not.toContain("Starting gunicorn-ts");
  expect(existsSync(join(server.folder, "run.pid"))).toBe(false);
});

test("a reload with a broken app fails before anything changes", async () => {
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["--preload"] });
  const before = await (await fetch(server.url, { keepalive: false })).text();
  await Bun.write(join(server.folder, "app.ts"), `throw new Error("on purpose");`);
  const from = server.log.length;
  server.kill("SIGHUP");
  await server.logged(/stay: --preload: while loading the application:\n\nError: on purpose/, from);
  expect(await (await fetch(server.url, { keepalive: false })).text()).toBe(before);
  expect(server.log.slice(from)).not.toContain("Booting worker");
  await Bun.write(join(server.folder, "app.ts"), app);
  server.kill("SIGHUP");
  await until("a successor", async () => {
    return (await (await fetch(server.url, { keepalive: false })).text()) !== before;
  });
});

test.skipIf(!isRoot)(`the app is preloaded as the user of the workers${needsRoot}`, async () => {
  const told = `console.error("imported as", process.geteuid());
    export const fetch = () => new Response("ok");`;
  await using server = await gunicorn({
    files: { "app.ts": told },
    args: ["--preload", "-u", "nobody"],
  });
  await until("both imports", () => server.log.match(/imported as 65534\n/g)?.length === 2);
  expect(server.log).not.toContain("imported as 0");
});
