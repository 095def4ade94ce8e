/** An app with routes, as one whose fetch finds them: for worker classes that don't stand on Bun.serve. */
import { bodyInit, bodyKind, unknownInit } from "../../http/response/body.ts";
import type { App } from "../shape.ts";
import { type Match, RouteTable } from "./table.ts";

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
      const match = lookUp()?.find(request.method, pathOf(request.url)) ?? null;
      if (match === null) return app.fetch(request, server);
      return answer(match, request, app.server ?? server);
    },
    get error() {
      return app.error;
    },
    routes: null,
    websocket: app.websocket,
    nodeUpgrades: app.nodeUpgrades,
    options: app.options,
    captured: app.captured,
    describe: app.describe,
  };
}

/** The handler gets a BunRequest: with `params`, and `cookies` whose changes go out with the answer. */
function answer(
  { handle, params }: Match,
  request: Request,
  server: unknown,
): Response | Promise<Response> {
  let cookies: Bun.CookieMap | null = null;
  Object.defineProperties(request, {
    params: { value: params, configurable: true },
    cookies: {
      get: () => (cookies ??= new Bun.CookieMap(request.headers.get("cookie") ?? "")),
      configurable: true,
    },
  });
  const made = handle(request, server);
  if (!(made instanceof Promise)) return withCookies(made, cookies);
  // In the same tick, as the answer of an app's own fetch (exchange.ts).
  if (Bun.peek.status(made) === "fulfilled")
    return withCookies(Bun.peek(made) as Response, cookies);
  return made.then((response) => withCookies(response, cookies));
}

function withCookies(response: Response, cookies: Bun.CookieMap | null): Response {
  const changed = cookies?.toSetCookieHeaders() ?? [];
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

/** Of a URL as requests have it, in absolute form. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start === -1) return "/";
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
