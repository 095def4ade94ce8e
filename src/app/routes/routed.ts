/** An app with routes, as one whose fetch finds them: for worker classes that don't stand on Bun.serve. */
import { bodyInit, bodyKind, unknownInit } from "../../http/response/globals/body.ts";
import { rawHead } from "../../http/request/request.ts";
import type { App } from "../shape.ts";
import { type Match, type Params, RouteTable } from "./table.ts";

/**
 * The same app without routes of its own. They are looked up at each request: server.reload() may change them.
 * @throws TypeError for routes that Bun.serve refuses too, AppImportError for those that only it can do
 */
export function routed(app: App): App {
  let known: object | null = null;
  let table: RouteTable | null = null;
  const lookUp = (): RouteTable | null => {
    const { routes } = app;
    if (routes !== known) {
      table = routes === null ? null : new RouteTable(routes, app.fetch, app.describe);
      known = routes;
    }
    return table;
  };
  // What can't be served is refused at the start.
  lookUp();
  return {
    fetch: (request, server) => {
      const match = lookUp()?.find(request.method, pathOf(request)) ?? null;
      if (match === null) return app.fetch(request, server);
      return answer(match, request, app.server ?? server);
    },
    get error() {
      return app.error;
    },
    routes: null,
    get websocket() {
      return app.websocket;
    },
    nodeUpgrades: app.nodeUpgrades,
    options: app.options,
    captured: app.captured,
    ...(app.server !== undefined && { server: app.server }),
    describe: app.describe,
  };
}

/** Of the requests whose handlers have asked for them. */
const jars = new WeakMap<Request, Bun.CookieMap>();

/** One for all requests: a getter of its own for each would cost 300 ns more. */
const cookies = {
  get(this: Request): Bun.CookieMap {
    let jar = jars.get(this);
    if (jar === undefined) {
      jar = new Bun.CookieMap(this.headers.get("cookie") ?? "");
      jars.set(this, jar);
    }
    return jar;
  },
  configurable: true,
};

/** The handler gets a BunRequest: with `params`, and `cookies` whose changes go out with the answer. */
function answer(
  { handle, params }: Match,
  request: Request & { params?: Params },
  server: unknown,
): Response | Promise<Response> {
  request.params = params;
  Object.defineProperty(request, "cookies", cookies);
  const made = handle(request, server);
  if (!(made instanceof Promise)) return withCookies(made, request);
  // In the same tick, as the answer of an app's own fetch (exchange.ts).
  if (Bun.peek.status(made) === "fulfilled")
    return withCookies(Bun.peek(made) as Response, request);
  return made.then((response) => withCookies(response, request));
}

function withCookies(response: Response, request: Request): Response {
  const changed = jars.get(request)?.toSetCookieHeaders() ?? [];
  if (changed.length === 0 || !(response instanceof Response)) return response;
  const init = bodyInit(response);
  let answer = response;
  if (init === unknownInit || bodyKind(init) === "none") {
    // One without a body may be there for many requests, and the cookies are one client's; fetch() gives what can't be changed.
    const headers = new Headers(response.headers);
    const { body, status, statusText } = response;
    answer = new Response(body, { status, statusText, headers });
  }
  for (const line of changed) answer.headers.append("set-cookie", line);
  return answer;
}

/** As it was sent, dot segments and all, since Bun.serve looks for it so: a URL hasn't got them any more. */
function pathOf(request: Request): string {
  const head = rawHead(request);
  const target = head === null ? request.url : (head.appTarget ?? head.target);
  const start = target.startsWith("/") ? 0 : target.indexOf("/", target.indexOf("//") + 2);
  if (start === -1) return "/";
  const end = target.indexOf("?", start);
  return end === -1 ? target.slice(start) : target.slice(start, end);
}
