import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AppImportError } from "../../../src/modules/errors.ts";
import { loadApp } from "../../../src/app/load.ts";
import type { AppType } from "../../../src/app/shape.ts";
import { EmptyRegistry } from "../../support/packaging/registry.ts";

const cwd = join(import.meta.dir, "../../fixtures/app");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "gunicorn-ts-app-")));
afterAll(() => rmSync(folder, { recursive: true }));

async function answer(reference: string, from = cwd): Promise<string> {
  const app = await loadApp(reference, { cwd: from });
  return (await app.fetch(new Request("http://localhost/"), {})).text();
}

async function failure(reference: string, from = cwd, type: AppType = "auto"): Promise<unknown> {
  return loadApp(reference, { cwd: from, type }).then(
    () => "loaded",
    (error: unknown) => error,
  );
}

function write(path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const loaded: [claim: string, reference: string, answer: string][] = [
  ["a function by its name", "plain:fetch", "plain GET"],
  ["fetch without EXPORT", "plain", "plain GET"],
  ["a file with its extension", "plain.ts", "plain GET"],
  ["a path", "./plain", "plain GET"],
  ["an absolute path", join(cwd, "plain.ts"), "plain GET"],
  ["a path upwards", "../app/plain", "plain GET"],
  ["a dotted name, called on its object", "plain:api.handle", "nested"],
  ["a dotted name through default", "options:default.fetch", "options"],
  ["an object with fetch", "options", "options"],
  ["default by its name", "options:default", "options"],
  ["app without EXPORT", "only-app", "app"],
  ["default before fetch", "default-first", "default"],
  ["fetch when default is no app", "default-config", "fetch"],
  ["a factory", 'factory:create("blue", 3)', "blue 3"],
  ["an async factory", "factory:createLater({ colour: 'red' })", "red"],
  ["a promise of an app", "factory:promised", "promised"],
  ["a promise of an app as default", "promise", "promise"],
  ["an instance with private state", "instance", "instance"],
  ["a router that is a Proxy", "proxy", "proxy"],
  ["a factory of a Proxy", "proxy:create()", "proxy"],
  ["a router whose prototype is a Proxy", "itty", "itty"],
  ["a function that has fetch", "yoga", "its fetch"],
  ["CommonJS", "common", "common"],
  ["CommonJS by name", "common:fetch", "common"],
  ["a CommonJS function", "common-function.cjs", "common function"],
  ["TSX", "pages/page", "tsx"],
  ["the index of a folder", "folder", "folder"],
  ["a name that has a dot", "exact.weird", "exact"],
];

describe("loadApp()", () => {
  test.each(loaded)("loads %s", async (_claim, reference, expected) => {
    expect(await answer(reference)).toBe(expected);
  });

  test("loads a package, with and without scope and subpath", async () => {
    write("node_modules/shop/package.json", `{ "exports": { ".": "./a.js", "./b": "./b.js" } }`);
    write("node_modules/shop/a.js", `export default () => new Response("package")`);
    write("node_modules/shop/b.js", `export const app = () => new Response("subpath")`);
    write("node_modules/@own/shop/index.js", `exports.fetch = () => new Response("scoped")`);
    const inside = join(folder, "deep/inside");
    mkdirSync(inside, { recursive: true });
    expect(await answer("shop", inside)).toBe("package");
    expect(await answer("shop/b:app", inside)).toBe("subpath");
    expect(await answer("@own/shop", inside)).toBe("scoped");
    expect(await failure("shop/c", inside)).toBeInstanceOf(AppImportError);
  });

  test("prefers a file to a package of the same name", async () => {
    write("node_modules/both/index.js", `export default () => new Response("package")`);
    write("both.ts", `export default () => new Response("file")`);
    expect(await answer("both", folder)).toBe("file");
  });

  test("says what it loaded", async () => {
    expect((await loadApp("plain", { cwd })).describe).toBe("plain.ts: fetch");
    expect((await loadApp("factory:create('x', 1)", { cwd })).describe).toBe(
      "factory.ts: create('x', 1)",
    );
  });

  test("keeps error, routes, websocket and the object itself", async () => {
    const app = await loadApp("options", { cwd });
    expect(await (await app.error?.(new Error("it")))?.text()).toBe("caught it");
    expect(Object.keys(app.routes ?? {})).toEqual(["/"]);
    expect(Object.keys(app.websocket ?? {})).toEqual(["message"]);
    expect(app.options).toHaveProperty("port", 1);
  });

  test.each([
    ["fetch", `export const fetch = () => new Response();`, "", true],
    ["fetch by its name", `export const fetch = () => new Response();`, ":fetch", true],
    ["a framework's app", `export default new (class { fetch() {} })();`, "", true],
    ["options, which say it themselves", `export default { fetch() {} };`, "", false],
  ])("finds the websocket that is exported beside %s", async (name, app, target, isTaken) => {
    const file = `websocket-${Bun.hash(name)}.ts`;
    write(file, `${app} export const websocket = { message() {} };`);
    const { websocket } = await loadApp(file + target, { cwd: folder });
    expect(websocket !== null).toBe(isTaken);
  });

  test.each([
    ["a path", `"/chat"`],
    ["an instance", `new (class { message() {} })()`],
    ["an object without handlers", `{ url: "ws://a" }`],
  ])("leaves a websocket that is %s", async (name, value) => {
    const file = `websocket-${Bun.hash(name)}.ts`;
    write(file, `export const fetch = () => new Response(); export const websocket = ${value};`);
    expect((await loadApp(file, { cwd: folder })).websocket).toBeNull();
  });

  test("takes a framework's own routes and error for its own", async () => {
    for (const reference of ["instance", "itty", "proxy", "plain"]) {
      const { error, routes, websocket } = await loadApp(reference, { cwd });
      expect([error, routes, websocket]).toEqual([null, null, null]);
    }
  });

  test("reads nothing but fetch of a Proxy", async () => {
    await answer("proxy:create()");
    const { reads } = (await import(join(cwd, "proxy.ts"))) as { reads: string[] };
    expect([...new Set(reads)]).toEqual(["fetch"]);
  });

  test("calls the fetch that an app has by now", async () => {
    const app = await loadApp("lazy", { cwd });
    const request = new Request("http://localhost/");
    expect(await (await app.fetch(request, {})).text()).toBe("compiling");
    expect(await (await app.fetch(request, {})).text()).toBe("compiled");
  });

  test("passes the server on", async () => {
    write(
      "second.ts",
      `export const fetch = (_: unknown, server: object) => Response.json(server)`,
    );
    const app = await loadApp("second", { cwd: folder });
    expect(await (await app.fetch(new Request("http://localhost/"), { port: 1 })).json()).toEqual({
      port: 1,
    });
  });
});

const tried = `(with or without .ts, .tsx, .mts, .js, .mjs, .cjs, .jsx)`;
/** Where nothing could listen for it. */
const listener = "is a node listener (req, res)";

const absent = `no such file in ${cwd} ${tried}`;

const refused: [reference: string, message: string][] = [
  ["nope", `No module named 'nope': no such file in ${cwd} ${tried}, and no such package`],
  ["./nope:fetch", `No module named './nope': no such file in ${cwd} ${tried}`],
  ["@x/nope", `No module named '@x/nope': no such file in ${cwd} ${tried}, and no such package`],
  ["pkg.mod:app", "No module named 'pkg.mod', did you mean 'pkg/mod:app'?"],
  ["pkg.mod", "No module named 'pkg.mod', did you mean 'pkg/mod'?"],
  ["plian", `No module named 'plian': ${absent}, and no such package, did you mean 'plain'?`],
  [
    "plian:fetch",
    `No module named 'plian': ${absent}, and no such package, did you mean 'plain:fetch'?`,
  ],
  [
    "./plian.ts:api.handle",
    `No module named './plian.ts': ${absent}, did you mean './plain.ts:api.handle'?`,
  ],
  [
    "pages/pag:create(1)",
    `No module named 'pages/pag': ${absent}, and no such package, did you mean 'pages/page:create(1)'?`,
  ],
  [
    "plain.fetch",
    `No module named 'plain.fetch': ${absent}, and no such package, did you mean 'plain:fetch'?`,
  ],
  [
    "pages:fetch",
    `No module named 'pages': ${join(cwd, "pages")} is a folder without an index.ts, did you mean 'pages/page:fetch'?`,
  ],
  [
    "plain:fecth",
    `Failed to find attribute 'fecth' in 'plain': plain.ts exports "api" (object), "fetch" (function), "version" (string), did you mean 'plain:fetch'?`,
  ],
  [
    "options:fetch",
    `Failed to find attribute 'fetch' in 'options': options.ts exports "default" (object), did you mean 'options', whose default is an app?`,
  ],
  [
    "plain:nope",
    `Failed to find attribute 'nope' in 'plain': plain.ts exports "api" (object), "fetch" (function), "version" (string), did you mean 'plain:fetch'?`,
  ],
  [
    'plain:create("blue")',
    `Failed to find attribute 'create("blue")' in 'plain': plain.ts exports "api" (object), "fetch" (function), "version" (string), did you mean 'plain:fetch'?`,
  ],
  [
    "plain:api.nope",
    `Failed to find attribute 'api.nope' in 'plain': plain.ts exports "api" (object), "fetch" (function), "version" (string)`,
  ],
  [
    "plain:version.length.x",
    `Failed to find attribute 'version.length.x' in 'plain': plain.ts exports "api" (object), "fetch" (function), "version" (string)`,
  ],
  ["plain:version", `plain.ts: "version" (string) is not a function and has no fetch`],
  ["plain:api", `plain.ts: "api" (object) is not a function and has no fetch`],
  ["plain:version()", `plain.ts: "version" (string) can't be called`],
  ["no-app:none", "Failed to find application object: 'none'"],
  [
    "no-app",
    `no-app.ts exports "handler" (number), "list" (array), "none" (null), "version" (string): none is a function or has fetch`,
  ],
  [
    "other-name",
    `other-name.ts exports "handler" (function): none is named default, fetch or app, did you mean 'other-name:handler'?`,
  ],
  ["empty", "empty.ts exports nothing"],
  ["factory:nothing()", "Failed to find application object: 'nothing()'"],
  ["factory:text()", `factory.ts: "text()" (string) is not a function and has no fetch`],
  ["factory:number()", `factory.ts: "number" (number) can't be called`],
  ["class", "class.ts: default is a class: export an instance that has fetch"],
  ["instance:Router", "instance.ts: Router is a class: export an instance that has fetch"],
  ["express", `express.ts: default ${listener}`],
  ["http-server", `http-server.ts: default ${listener}`],
  ["fastify", `fastify.ts: default ${listener}`],
  [
    "bun-server",
    "bun-server.ts: default is a running Bun.serve server: export what it was made of, { fetch }, and gunicorn-ts listens",
  ],
];

describe("loadApp() says of", () => {
  const place = join(folder, "wrong");
  test.each([
    [
      "a folder with a usual name",
      "store",
      "store is a folder without an index.ts, did you mean 'store/server'?",
    ],
    [
      "a folder with one module",
      "one:fetch",
      "one is a folder without an index.ts, did you mean 'one/site:fetch'?",
    ],
    ["a folder without any", "none", "none is a folder without an index.ts"],
    [
      "what stands in the folder of sources",
      "deep:app",
      ", and no such package, did you mean 'src/deep:app'?",
    ],
    ["what the folder itself has", "code/one/site", ", and no such package, did you mean 'site'?"],
    ["the same by a path", "./deep", ", did you mean './src/deep'?"],
    ["Python", "wsgi:app", "wsgi.py is Python's"],
    [
      "a file of Python",
      "wsgi.py",
      "wsgi.py is no module of TypeScript or JavaScript, and has no app",
    ],
    ["a text", "notes.txt", "notes.txt is no module of TypeScript or JavaScript, and has no app"],
    ["many exports", "many:nope", `"n6" (number) and 3 more`],
  ])("%s", async (_what, reference, says) => {
    for (const file of [
      "store/server.ts",
      "store/tools.ts",
      "one/site.ts",
      "src/deep.ts",
      "site.ts",
    ])
      write(`wrong/${file}`, "export const fetch = () => new Response();");
    for (const file of ["none/a.txt", "wsgi.py", "notes.txt"]) write(`wrong/${file}`, "text");
    const names = Array.from({ length: 15 }, (_, at) => `export const n${at} = ${at};`);
    write("wrong/many.ts", names.join("\n"));
    const error = await failure(reference, place);
    expect(error).toBeInstanceOf(AppImportError);
    expect((error as Error).message).toEndWith(says);
  });
});

test.each(["nothing", "src.nothing", "nothing.fetch", "./nothing"])(
  "loadApp() says that %s isn't there, where links go in circles",
  async (reference) => {
    const place = join(folder, "circles");
    mkdirSync(place, { recursive: true });
    rmSync(join(place, "src"), { force: true });
    symlinkSync("src", join(place, "src"));
    const error = await failure(reference, place);
    expect(error).toBeInstanceOf(AppImportError);
    expect((error as Error).message).toStartWith(`No module named '${reference}': no such file in`);
  },
);

test.each(refused)("loadApp() refuses %p", async (reference, message) => {
  const error = await failure(reference);
  expect(error).toBeInstanceOf(AppImportError);
  expect((error as Error).message).toBe(message);
});

const refusedByType: [type: AppType, reference: string, message: string][] = [
  ["node", "plain", "plain.ts: fetch is a node listener (req, res)"],
  ["node", "options", "options.ts: default is no node listener (req, res), and app_type is node"],
  [
    "node",
    "plain:version",
    "plain.ts: version is no node listener (req, res), and app_type is node",
  ],
  [
    "node",
    "no-app",
    `no-app.ts exports "handler" (number), "list" (array), "none" (null), "version" (string): none is a node listener (req, res)`,
  ],
  [
    "node",
    "other-name",
    `other-name.ts exports "handler" (function): none is named default, fetch or app, did you mean 'other-name:handler'?`,
  ],
  [
    "node",
    "class",
    "class.ts: default is a class: export a function (req, res), or a server of node:http",
  ],
  [
    "fetch",
    "http-server",
    "http-server.ts: default is a node listener (req, res), and app_type is fetch",
  ],
  [
    "fetch",
    "fastify:default",
    "fastify.ts: default is a node listener (req, res), and app_type is fetch",
  ],
];

test.each(refusedByType)(
  "loadApp() with app_type %s refuses %p",
  async (type, reference, message) => {
    const error = await failure(reference, cwd, type);
    expect(error).toBeInstanceOf(AppImportError);
    expect((error as Error).message).toBe(message);
  },
);

const passedOn: [reference: string, message: string][] = [
  ["throws", "thrown while importing"],
  ["factory:broken()", "broken factory"],
  ["missing-import", "not-there.ts"],
];

test.each(passedOn)("loadApp() passes on what %p throws", async (reference, message) => {
  const error = await failure(reference);
  expect(error).not.toBeInstanceOf(AppImportError);
  expect((error as Error).message).toContain(message);
});

test("loadApp() passes on a syntax error", async () => {
  write("syntax-error.ts", "export const fetch = ;");
  const error = await failure("syntax-error", folder);
  expect(error).not.toBeInstanceOf(AppImportError);
  expect((error as Error).message).toBe("Unexpected ;");
});

test("loadApp() never asks the registry for a package that isn't installed", async () => {
  await using registry = new EmptyRegistry();
  const loader = join(import.meta.dir, "../../../src/app/load.ts");
  const empty = realpathSync(mkdtempSync(join(tmpdir(), "gunicorn-ts-empty-")));
  const code = `
    const { loadApp } = await import(${JSON.stringify(loader)});
    await loadApp("some-package", { cwd: process.cwd() }).catch((error) => process.stdout.write(error.name));`;
  await using child = Bun.spawn([process.execPath, "-e", code], {
    cwd: empty,
    env: { ...process.env, BUN_CONFIG_REGISTRY: registry.url },
    stdout: "pipe",
  });
  expect(await child.stdout.text()).toBe("AppImportError");
  expect(registry.asked).toEqual([]);
  rmSync(empty, { recursive: true });
});
