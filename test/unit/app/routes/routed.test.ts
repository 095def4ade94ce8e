/** Routes that our own router finds, side by side with Bun.serve's: what is right, that says. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CapturedServer } from "../../../../src/app/captured-server.ts";
import { routed } from "../../../../src/app/routes/routed.ts";
import { type App, fromServer, isNodeListener, readApp } from "../../../../src/app/shape.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";

installResponse();

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
const file = join(folder, "file.txt");
writeFileSync(file, "0123456789");
const gone = join(folder, "gone.txt");

type Asked = Request & { readonly params?: object; readonly cookies: Bun.CookieMap };

const say = (name: string) => (request: Asked) =>
  new Response(`${name} ${request.method} ${JSON.stringify(request.params)}`);

/** One for many requests. */
const shared = new Response(null);

function setCookies({ cookies }: Asked): Response {
  cookies.set("a", "1");
  cookies.set("b", "2", { httpOnly: true });
  cookies.delete("gone");
  return new Response(cookies.get("one"));
}

const kinds: Record<string, (name: string) => unknown> = {
  function: (name) => say(name),
  response: (name) => new Response(name),
  file: () => Bun.file(file),
  off: () => false,
  get: (name) => ({ GET: say(name) }),
  "get-response": (name) => ({ GET: new Response(name) }),
  both: (name) => ({ GET: new Response(name), POST: say(name) }),
  head: (name) => ({ HEAD: say(name), GET: say(name) }),
};

/** Two routes that differ in the name of their parameter only, or of their rest: of which kinds they are decides. */
const twice = Object.keys(kinds).flatMap((one) =>
  Object.keys(kinds).map((other) => [one, other] as const),
);

const routes: object = {
  ...Object.fromEntries(
    twice.flatMap(([one, other]) => [
      [`/twice-${one}-${other}/:first`, kinds[one]!("first")],
      [`/twice-${one}-${other}/:second`, kinds[other]!("second")],
      [`/rests-${one}-${other}/:first/*first`, kinds[one]!("first")],
      [`/rests-${one}-${other}/:second/*`, kinds[other]!("second")],
    ]),
  ),
  "/": say("root"),
  "/f": say("f"),
  "/trailing/": say("trailing"),
  "/caf%C3%A9": say("encoded"),
  "/a b": say("blank"),
  "/users/:id": say("user"),
  "/users/me": { GET: say("me") },
  "/users/:id/posts/:post": say("post"),
  "/users/*": say("users"),
  "/w/*": say("rest"),
  "/w/:p/x": say("before the rest"),
  "/:any/deep": say("deep"),
  "/mixed/:a/*": say("mixed"),
  "/dotted/:id.json": say("dotted"),
  "/get": { GET: say("get") },
  "/both": { GET: say("get"), POST: say("post") },
  "/head": { GET: say("get"), HEAD: say("head") },
  "/delete": { DELETE: say("delete") },
  "/off": false,
  "/off/*": say("below off"),
  "/off/here": false,
  "/off/method": { GET: false, POST: say("post"), PUT: undefined },
  "/undefined": undefined,
  "": say("never"),
  "/middle/*/end": say("never"),
  "/middle-named/*x/end": say("never"),
  "/named/*path": say("named rest"),
  "/named/:id": say("before the named rest"),
  "/named/a*": say("no rest"),
  "/twice/:first": say("first"),
  "/twice/:second": say("second"),
  "/twice-by-method/:first": { POST: say("first") },
  "/twice-by-method/:second": { GET: say("second") },
  "/by-method/:id": { POST: say("post id") },
  "/by-method/*": say("any"),
  "/text": new Response("text", { headers: { "x-a": "b" } }),
  "/tagged": new Response("text", { headers: { etag: '"own"' } }),
  "/missing": new Response("not here", { status: 404 }),
  "/empty": new Response(),
  "/redirect": Response.redirect("/f"),
  "/json": Response.json({ a: 1 }),
  "/by-method": { GET: new Response("text"), POST: say("post") },
  "/file": Bun.file(file),
  "/file-response": new Response(Bun.file(file), { headers: { "x-a": "b" } }),
  "/file/:name": { GET: Bun.file(file) },
  "/gone": Bun.file(gone),
  "/gone-response": new Response(Bun.file(gone)),
  "/cookies": setCookies,
  "/shared/:value": ({ cookies, params }: Asked) => {
    cookies.set("own", (params as { value: string }).value);
    return shared;
  },
  "/cookies-json": ({ cookies }: Asked) => {
    cookies.set("a", "1");
    return Response.json({ a: 1 });
  },
  "/cookies-redirect": ({ cookies }: Asked) => {
    cookies.set("a", "1");
    return Response.redirect("/f");
  },
  "/later": async (request: Asked) => {
    await Promise.resolve();
    return setCookies(request);
  },
};
const options = {
  routes,
  fetch: (request: Request) => new Response(`fetch ${request.method}`, { status: 299 }),
};

const native = Bun.serve({ ...options, port: 0, development: false } as never);
afterAll(async () => {
  await native.stop(true);
  rmSync(folder, { recursive: true });
});

function appOf(value: object): App {
  const app = readApp(value, null, "app.ts: default", "auto");
  if (app === null || typeof app === "string" || isNodeListener(app)) throw new TypeError("no app");
  return app;
}

const ours = routed(appOf(options));

type Row = [method: string, path: string, headers?: Record<string, string>];

async function shown(response: Response): Promise<object> {
  const names = ["etag", "last-modified", "location", "x-a"];
  const fields = names.map((name) => [name, response.headers.get(name)]);
  const cookies = response.headers.getSetCookie();
  return { status: response.status, body: await response.text(), fields, cookies };
}

const paths = Object.keys(routes).filter((path) => !/[:*]/.test(path));
const tag = { "if-none-match": '"x", W/"0f1d7a1b3e2c4d5e", "own"' };

const rows: Row[] = [
  ...["GET", "HEAD", "POST", "DELETE", "OPTIONS"].flatMap((method) =>
    paths.map((path): Row => [method, path]),
  ),
  ...[
    "/f/",
    "/F",
    "/f?x=1",
    "/users/7",
    "/users/a%20b",
    "/users/a%2Fb",
    "/users/%ff",
    "/users/%C3%A9%",
    "/users/%zz",
    "/users/%4",
    "/users/%c3x",
    "/users/",
    "/users",
    "/users/7/",
    "/users/7/posts/8",
    "/users/7/posts/8/",
    "/users/7/x/y",
    "/w/",
    "/w",
    "/w/a",
    "/w/a/b",
    "/w/a/x",
    "/w/deep",
    "/z/deep",
    "/mixed/1/2/3",
    "/mixed/1/",
    "/mixed/1",
    "/dotted/7.json",
    "/trailing",
    "/caf%c3%a9",
    "/%66",
    "/file/a",
    "/none/of/them",
    "/",
    "/off/there",
    "/off/method",
    "/middle/x/end",
    "/middle/*/end",
    "/middle-named/*x/end",
    "/middle-named/x/end",
    "/named/a/b",
    "/named/*path",
    "/named/a",
    "/named/a*",
    "/named/ab",
    "/named/",
    "/named",
    "/twice/1",
    "/twice-by-method/1",
    "/by-method/1",
    "/shared/one",
    "/shared/another",
    "/cookies-json",
    "/cookies-redirect",
  ].map((path): Row => ["GET", path]),
  ...["GET", "HEAD", "POST"].flatMap((method) =>
    twice.flatMap(([one, other]): Row[] => [
      [method, `/twice-${one}-${other}/1`],
      [method, `/rests-${one}-${other}/1/2`],
    ]),
  ),
  ["POST", "/users/me"],
  ["POST", "/twice-by-method/1"],
  ["POST", "/by-method/1"],
  ["POST", "/off/method"],
  ["PUT", "/off/method"],
  ["HEAD", "/users/me"],
  ["GET", "/tagged", tag],
  ["POST", "/tagged", tag],
  ["GET", "/text", tag],
  ...["/text", "/missing", "/empty", "/by-method", "/file"].map((path): Row => [
    "GET",
    path,
    { "if-none-match": "*" },
  ]),
  ...["/file", "/file-response", "/file/a", "/text"].flatMap((path): Row[] => [
    ["GET", path, { "if-modified-since": "Fri, 01 Jan 2038 00:00:00 GMT" }],
    ["HEAD", path, { "if-modified-since": "Fri, 01 Jan 2038 00:00:00 GMT" }],
    ["GET", path, { "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT" }],
    ["GET", path, { "if-modified-since": "not a date" }],
  ]),
  ...["/cookies", "/later"].map((path): Row => [
    "GET",
    path,
    { cookie: "one=11; gone=3; two=%20" },
  ]),
];

test.each(rows)("%s %s %o", async (method, path, headers = {}) => {
  const init = { method, headers, redirect: "manual" } as const;
  const there = await fetch(native.url.origin + path, init);
  const here = await ours.fetch(new Request(`http://localhost${path}`, init), null);
  const [expected, got] = [await shown(there), await shown(here)];
  // HEAD's body is the engine's business.
  if (method === "HEAD") Object.assign(got, { body: "" });
  expect(got).toEqual(expected);
});

describe("what Bun.serve refuses is refused", () => {
  test.each([
    [{ x: say("x") }],
    [{ "*": say("x") }],
    [{ "/\u00e9": say("x") }],
    [{ "/:a/:a": say("x") }],
    [{ "/x": 5 }],
    [{ "/x": "text" }],
    [{ "/x": null }],
    [{ "/x": {} }],
    [{ "/x": { FOO: say("x") } }],
    [{ "/x": { get: say("x") } }],
  ])("%p", (wrong) => {
    const { fetch } = options;
    expect(() => Bun.serve({ port: 0, routes: wrong, fetch } as never)).toThrow();
    expect(() => routed(appOf({ routes: wrong, fetch }))).toThrow("oute");
  });
});

// An HTML import is an object of no public class.
test.each([[{ dir: "." }], [new URL("file:///page.html")]])(
  "what only Bun.serve can do is refused with the class that does it: %p",
  (value) => {
    expect(() => routed(appOf({ routes: { "/x/*": value } }))).toThrow(
      "/x/*: HTML imports and folders in routes are Bun.serve's own, use --worker-class serve",
    );
  },
);

test("reload() brings other routes, and handlers get the server that the app has got", async () => {
  const listening = { protocol: "http", url: "http://localhost/", address: "/socket" } as const;
  const own = (name: string) => ({
    "/x": (_request: Request, server: unknown) => new Response(`${name} ${server === captured}`),
  });
  const captured = new CapturedServer({ routes: own("old") }, listening, () => {});
  const app = routed(fromServer(captured, "app.ts"));
  const ask = async () => (await app.fetch(new Request("http://localhost/x"), {})).text();
  expect(await ask()).toBe("old true");
  captured.reload({ routes: own("new") });
  expect(await ask()).toBe("new true");
  captured.reload({ routes: {}, fetch: () => new Response("fetch") });
  expect(await ask()).toBe("fetch");
});
