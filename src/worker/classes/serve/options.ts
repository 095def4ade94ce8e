/**
 * An app as options of Bun.serve: everything that it says, but for what is ours. Each of its handlers goes by way of
 * `answer`, so that log, hooks, max_requests and the drain hold for routes too.
 */
import { passedOptions } from "../../../app/options.ts";
import type { BoundTo } from "../../../api/serving.ts";
import type { App } from "../../../app/load.ts";
import type { Protocols } from "../../../config/protocols.ts";
import { type Handle, handleOf } from "../../../app/routes/answers.ts";

/** Bun.serve's longest: it has one timer for keep-alive, uploads and slow answers together. */
export const idleSeconds = 255;

export type Server = Bun.Server<unknown>;
export type Answer = (
  request: Request,
  server: Server,
  handle: Handle,
) => Promise<Response | undefined>;

export interface Served {
  readonly app: App;
  /** The app's websocket, as Bun.serve gets it; null without it. */
  readonly websocket: Bun.WebSocketHandler<unknown> | null;
  readonly bound: BoundTo;
  readonly speaks: Protocols;
  /** As of tlsOptions(); null without TLS. */
  readonly tls: readonly object[] | null;
  readonly answer: Answer;
}

type Options = Bun.Serve.Options<unknown>;

/** What to call Bun.serve with. */
export function serveOptions({ app, websocket, bound, speaks, tls, answer }: Served): Options {
  const { routes, error } = app;
  const options = {
    development: false,
    idleTimeout: idleSeconds,
    ...passedOptions(app),
    ...placeOf(bound, !speaks.http3),
    ...protocolOptions(speaks),
    ...(tls === null ? {} : { tls }),
    fetch: (request: Request, server: Server) => answer(request, server, app.fetch),
    ...(routes === null ? {} : { routes: handledRoutes(routes, app, answer) }),
    ...(websocket === null ? {} : { websocket }),
    // What Bun.serve itself fails at: a file that isn't there.
    ...(error === null ? {} : { error }),
  };
  // Bun.serve judges what the app says.
  return options as unknown as Options;
}

/** Where Bun.serve is to listen, by a socket of its own. A unix socket is --request's: a server's are the master's. */
function placeOf(bound: BoundTo, reusePort: boolean): object {
  if (bound.type === "unix") return { unix: bound.path };
  const { hostname, port } = bound;
  return { hostname, port, reusePort };
}

/** What differs from Bun's defaults. */
function protocolOptions({ http1, http2, http3 }: Protocols): object {
  return {
    ...(http1 ? {} : { http1: false }),
    ...(http2 ? { http2: true } : {}),
    ...(http3 ? { http3: true } : {}),
  };
}

/** The routes that Bun answers without a word to anybody: HTML imports and folders. */
export function unseenRoutes(routes: object): readonly string[] {
  return Object.entries(routes).flatMap(([path, value]) => (isBunsOwn(value) ? [path] : []));
}

function handledRoutes(routes: object, app: App, answer: Answer): object {
  const handled = (value: unknown): unknown => {
    // Bun would answer a Response or a file without counting it.
    const handle = handleOf(value, app.fetch);
    return handle === null
      ? value
      : (request: Request, server: Server) => answer(request, server, handle);
  };
  const entries = Object.entries(routes).map(([path, value]: [string, unknown]) => {
    const byMethod = isByMethod(value);
    return [path, byMethod ? mapValues(value, handled) : handled(value)];
  });
  return Object.fromEntries(entries) as object;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** `{ GET: ..., POST: ... }`; a folder is `{ dir }`. */
function isByMethod(value: unknown): value is Readonly<Record<string, unknown>> {
  return isPlain(value) && !Object.hasOwn(value, "dir");
}

function isBunsOwn(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return !(value instanceof Response) && !(value instanceof Blob) && !isByMethod(value);
}

function mapValues(
  from: Readonly<Record<string, unknown>>,
  change: (value: unknown) => unknown,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value)]));
}
