import { describe, expect, test } from "bun:test";
import { passedOptions, unusedOptions } from "../../../../src/app/options.ts";
import type { Handle } from "../../../../src/app/routes/answers.ts";
import { type App, isNodeListener, readApp } from "../../../../src/app/shape.ts";
import type { Protocols } from "../../../../src/config/protocols.ts";
import { installFiles } from "../../../../src/http/response/globals/install.ts";
import {
  type Answer,
  serveOptions,
  unseenRoutes,
} from "../../../../src/worker/classes/serve/options.ts";

// As the class does before it imports the app.
installFiles();

const hello = () => new Response("hello");

function appOf(value: object): App {
  const app = readApp(value, null, "app.ts: default", "auto");
  if (app === null || typeof app === "string" || isNodeListener(app)) throw new TypeError("no app");
  return app;
}

type Shown = Record<string, unknown> & {
  readonly routes: Record<string, unknown>;
  readonly websocket: unknown;
};

/** The options of an app, and the handlers that were asked for. */
function optionsOf(
  value: object,
  websocket: Bun.WebSocketHandler<unknown> | null = null,
  {
    speaks = { http1: true, http2: false, http3: false },
    tls = null,
  }: { readonly speaks?: Protocols; readonly tls?: readonly object[] | null } = {},
) {
  const asked: Handle[] = [];
  const answer: Answer = async (request, server, handle) => {
    asked.push(handle);
    return handle(request, server);
  };
  const options = serveOptions({
    app: appOf(value),
    websocket,
    bound: { type: "tcp", hostname: "127.0.0.1", port: 8000 },
    speaks,
    tls,
    answer,
  });
  return { options: options as unknown as Shown, asked };
}

describe("serveOptions()", () => {
  test("of a plain app: ours, and Bun's longest time", () => {
    const { options } = optionsOf({ fetch: hello });
    expect(options).toEqual({
      development: false,
      idleTimeout: 255,
      hostname: "127.0.0.1",
      port: 8000,
      reusePort: true,
      fetch: expect.any(Function),
    } as never);
  });

  test.each<[speaks: Protocols, tls: readonly object[] | null, options: object]>([
    [{ http1: true, http2: false, http3: false }, null, {}],
    [{ http1: true, http2: true, http3: false }, null, { http2: true }],
    [{ http1: false, http2: true, http3: false }, null, { http1: false, http2: true }],
    [{ http1: true, http2: false, http3: false }, [{ cert: "a" }], { tls: [{ cert: "a" }] }],
    [
      { http1: false, http2: false, http3: true },
      [{ cert: "a" }],
      { http1: false, http3: true, reusePort: false, tls: [{ cert: "a" }] },
    ],
  ])("of protocols %j with TLS %j: %j", (speaks, tls, expected) => {
    const { options } = optionsOf({ fetch: hello }, null, { speaks, tls });
    const plain = optionsOf({ fetch: hello }).options;
    expect(options as object).toEqual({ ...plain, ...expected, fetch: expect.any(Function) });
  });

  test.each<[name: string, value: unknown, passed: unknown]>([
    ["idleTimeout", 0, 0],
    ["idleTimeout", 30, 30],
    ["idleTimeout", undefined, 255],
    ["development", true, true],
    ["maxRequestBodySize", 9, 9],
    ["id", "one", "one"],
    ["hostname", "0.0.0.0", "127.0.0.1"],
    ["port", 3000, 8000],
    ["reusePort", false, true],
    ["unix", "a.sock", undefined],
    ["ipv6Only", true, undefined],
  ])("%s: %p is passed on as %p", (name, value, passed) => {
    expect(optionsOf({ fetch: hello, [name]: value }).options[name]).toEqual(passed);
  });

  const request = new Request("http://localhost/");
  /** As Bun's HTML imports: an object of a class of its own. */
  class HtmlBundle {
    readonly index = "page.html";
  }
  const page = new HtmlBundle();

  test("of routes: functions, Responses and files are asked by way of answer()", async () => {
    const get = () => new Response("get");
    const { options, asked } = optionsOf({
      fetch: () => new Response("fetch"),
      routes: {
        "/f": hello,
        "/r": new Response("static", { headers: { a: "b" } }),
        "/b": Bun.file(import.meta.path),
        "/gone": Bun.file("/nowhere/at.all"),
        "/m": { GET: get, POST: new Response("post") },
      },
    });
    const { routes } = options;
    const byMethod = routes["/m"] as Record<string, unknown>;
    const ask = async (handle: unknown) =>
      ((await (handle as Handle)(request, null)) satisfies Response).text();
    expect(await ask(routes["/f"])).toBe("hello");
    expect(await ask(routes["/r"])).toBe("static");
    expect(await ask(routes["/r"])).toBe("static");
    expect(await ask(routes["/b"])).toContain("is passed on as");
    expect(await ask(routes["/gone"])).toBe("fetch");
    expect(await ask(byMethod["GET"])).toBe("get");
    expect(await ask(byMethod["POST"])).toBe("post");
    expect(asked).toHaveLength(7);
    expect(asked[0]).toBe(hello);
  });

  test("of routes: what Bun answers itself stays, and is told", () => {
    const own = { "/p": page, "/d/*": { dir: "/tmp" }, "/no": false };
    const { options } = optionsOf({ fetch: hello, routes: { ...own, "/f": hello } });
    expect(options.routes).toMatchObject(own);
    expect(unseenRoutes({ ...own, "/f": hello, "/m": { GET: hello } })).toEqual(["/p", "/d/*"]);
  });

  test("of websockets: the guarded handlers, not the app's own", () => {
    const guarded = { message() {} };
    const app = { fetch: hello, websocket: { message() {} } };
    expect(optionsOf(app, guarded).options.websocket).toBe(guarded);
    expect("websocket" in optionsOf({ fetch: hello }).options).toBe(false);
  });

  test("of routes alone: the rest is 404", async () => {
    const { options } = optionsOf({ routes: { "/f": hello } });
    const response = await (options["fetch"] as Handle)(request, null);
    expect(response.status).toBe(404);
  });
});

describe("unusedOptions()", () => {
  test.each<[options: object, workerClass: "async" | "serve", lines: string[]]>([
    [{}, "serve", []],
    [
      { port: 3000 },
      "serve",
      ["app.ts: default: port 3000 isn't used: the server listens at the setting bind"],
    ],
    [
      { port: 3000 },
      "async",
      ["app.ts: default: port 3000 isn't used: the server listens at the setting bind"],
    ],
    [{ port: undefined, tls: undefined, http2: false, http1: true }, "serve", []],
    [
      { reusePort: true, unix: "a" },
      "serve",
      [
        "app.ts: default: unix a isn't used: the server listens at the setting bind",
        "app.ts: default: reusePort isn't used: see the setting reuse_port",
      ],
    ],
    [{ maxRequestBodySize: 1, idleTimeout: 9 }, "serve", []],
    [
      { maxRequestBodySize: 1 },
      "async",
      ["app.ts: default: maxRequestBodySize 1 isn't used: see the setting limit_request_body"],
    ],
  ])("of %p with %s", (options, workerClass, lines) => {
    expect(unusedOptions(appOf({ fetch: hello, ...options }), workerClass)).toEqual(lines);
  });

  test.each([
    [{ tls: {} }, "app.ts: default: tls: use the settings certfile and keyfile"],
    [{ http2: true }, "app.ts: default: http2: use --worker-class serve --http-protocols h2,h1"],
    [{ http3: true }, "app.ts: default: http3: use --worker-class serve --http-protocols h3,h2,h1"],
    [{ http1: false }, "app.ts: default: http1: use --worker-class serve --http-protocols h2"],
  ])("refuses %p", (options, message) => {
    for (const workerClass of ["async", "serve"] as const) {
      expect(() => unusedOptions(appOf({ fetch: hello, ...options }), workerClass)).toThrow(
        message,
      );
    }
  });

  test("reads nothing of what isn't plain", () => {
    class Framework {
      port = 3000;
      tls = {};
      fetch = hello;
    }
    expect(unusedOptions(appOf(new Framework()), "serve")).toEqual([]);
    expect(passedOptions(appOf(new Framework()))).toEqual({});
  });
});
