/**
 * Which values are apps. `fetch` is read first and nothing else of a value that has it: some routers are
 * Proxies, which answer to any name with a function.
 */

import { CapturedServer } from "./captured-server.ts";
import { pluginOf } from "./fastify-plugin.ts";
import { listenerOf } from "./node/listeners.ts";
import type { NodeUpgrades } from "./node/upgrades.ts";
import { isPlain, ownFetch, ownObject, ownValue } from "./properties.ts";

/** An app as the workers see it. */
export interface App {
  /** The app's own function or method, looked up at each call: Elysia replaces it when it is first called. */
  readonly fetch: (request: Request, server: unknown) => Response | Promise<Response>;
  /** Bun.serve's `error`: what to answer when fetch throws. */
  readonly error: ((error: unknown) => Response | Promise<Response>) | null;
  /** Bun.serve's `routes` and `websocket`, which not every worker class can honour. */
  readonly routes: object | null;
  readonly websocket: object | null;
  /** The plain object that all of it comes from, options of Bun.serve; null for a function or a framework's app. */
  readonly options: Readonly<Record<string, unknown>> | null;
  /** Where requests go that a node listener's server upgrades; null for every other app. */
  readonly nodeUpgrades: NodeUpgrades | null;
  /** Whether the app has called Bun.serve itself. */
  readonly captured: boolean;
  /** What handlers of a captured app get as the server: the one that its Bun.serve has answered. */
  readonly server?: CapturedServer;
  /** `hello.ts: fetch`. */
  readonly describe: string;
}

/** The setting app_type. */
export type AppType = "auto" | "fetch" | "node";

type Fetch = App["fetch"];

interface HasFetch {
  fetch: Fetch;
}

/** A node listener (req, res), or Elysia, which becomes an app when it listens: the capture finds it then. */
export interface NodeListener {
  readonly listen: () => Promise<void>;
  readonly describe: string;
  /** What is served instead if the module listens with something else. */
  readonly otherwise?: App;
}

export function isNodeListener(read: App | NodeListener): read is NodeListener {
  return "listen" in read;
}

/** The value as an app; or a text that says what it is instead; or null when there is no more to say than its type. */
export function readApp(
  value: unknown,
  owner: unknown,
  describe: string,
  type: AppType,
): App | NodeListener | string | null {
  if (type === "node") return readListener(value, describe);
  if (value instanceof CapturedServer) return fromServer(value, describe);
  if (hasFetch(value)) {
    if (isBunServer(value))
      return "is a running Bun.serve server: export what it was made of, { fetch }, and gunicorn-ts listens";
    return (type === "auto" ? keptServer(value, describe) : null) ?? fromObject(value, describe);
  }
  if (typeof value === "function") {
    if (isClass(value)) return "is a class: export an instance that has fetch";
    const listen = type === "fetch" ? null : (pluginOf(value, describe) ?? listenerOf(value));
    return listen === null ? fromFunction(value as Fetch, owner, describe) : { listen, describe };
  }
  if (typeof value !== "object" || value === null) return null;
  const listen = listenerOf(value);
  if (listen !== null && type === "fetch")
    return "is a node listener (req, res), and app_type is fetch";
  if (listen !== null) return { listen, describe };
  // Bun.serve's options may do without fetch.
  if (!isPlain(value) || ownObject(value, "routes") === null) return null;
  return { fetch: notFound, ...fromOptions(value), captured: false, describe };
}

/** The same where app_type is node: what else it may be doesn't count. */
function readListener(value: unknown, describe: string): NodeListener | string {
  if (isClass(value)) return "is a class: export a function (req, res), or a server of node:http";
  const listen = pluginOf(value, describe) ?? listenerOf(value, true);
  if (listen === null) return "is no node listener (req, res), and app_type is node";
  return { listen, describe };
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/** A node listener, by what hands it requests, and those that it upgrades. `place` is where the app says that it listens. */
export function fromListener(
  fetch: App["fetch"],
  nodeUpgrades: NodeUpgrades,
  describe: string,
  place: App["options"],
): App {
  return { fetch, ...noOptions, options: place, nodeUpgrades, captured: true, describe };
}

/**
 * What the app has called Bun.serve with, as it is at each request: server.reload() changes it. `choosesPort` is false where
 * the worker has asked the app to listen: then the port isn't the app's word.
 */
export function fromServer(server: CapturedServer, describe: string, choosesPort = true): App {
  const read = fromOptions(server.options);
  return {
    ...read,
    options: choosesPort ? read.options : { ...read.options, port: undefined },
    // The server that the app has got of Bun.serve, as it would there.
    fetch: (request) => (ownFetch(server.options) ?? notFound)(request, server),
    get error() {
      return fromOptions(server.options).error;
    },
    get routes() {
      return ownObject(server.options, "routes");
    },
    get websocket() {
      return ownObject(server.options, "websocket");
    },
    captured: true,
    server,
    describe,
  };
}

function hasFetch(value: unknown): value is HasFetch {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return typeof (value as { fetch?: unknown }).fetch === "function";
}

/**
 * Elysia keeps the server that it listens with as its own: its handlers ask that one, and the websockets are its options.
 * Null for all others; itty's router answers to any name, but has nothing of its own.
 */
function keptServer(value: HasFetch, describe: string): App | NodeListener | null {
  if (!Object.hasOwn(value, "server") || isPlain(value)) return null;
  const { server, listen } = value as HasFetch & { server?: unknown; listen?: unknown };
  if (server instanceof CapturedServer) return fromServer(server, describe);
  if (server !== null || typeof listen !== "function") return null;
  // The port is of no account: the capture takes it.
  const otherwise = fromObject(value, describe);
  return { listen: async () => void listen.call(value, 8000), describe, otherwise };
}

function fromObject(value: HasFetch, describe: string): App {
  return {
    fetch: (request, server) => value.fetch(request, server),
    ...(isPlain(value) ? fromOptions(value) : noOptions),
    captured: false,
    describe,
  };
}

type FromOptions = Pick<App, "error" | "routes" | "websocket" | "options" | "nodeUpgrades">;

const noOptions: FromOptions = {
  error: null,
  routes: null,
  websocket: null,
  options: null,
  nodeUpgrades: null,
};

function fromOptions(value: object): FromOptions {
  const error = ownValue(value, "error");
  return {
    error: typeof error === "function" ? (thrown) => error.call(value, thrown) : null,
    routes: ownObject(value, "routes"),
    websocket: ownObject(value, "websocket"),
    options: value as Record<string, unknown>,
    nodeUpgrades: null,
  };
}

/**
 * An app that has no options of its own, with the `websocket` that its module exports beside it: `fetch` and `websocket` by name
 * are as good as in one object.
 */
export function withExported(app: App, exports: Readonly<Record<string, unknown>>): App {
  if (app.options !== null || app.captured) return app;
  const { websocket } = exports;
  if (typeof websocket !== "object" || websocket === null || !isPlain(websocket)) return app;
  return typeof ownValue(websocket, "message") === "function" ? { ...app, websocket } : app;
}

/** Answers what no route takes, as Bun.serve does. */
function notFound(_request?: Request, _server?: unknown): Response {
  return new Response(null, { status: 404 });
}

function fromFunction(value: Fetch, owner: unknown, describe: string): App {
  return {
    fetch: owner === null ? value : (request, server) => value.call(owner, request, server),
    ...noOptions,
    captured: false,
    describe,
  };
}

function isBunServer(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    typeof prototype === "object" && prototype !== null && Object.hasOwn(prototype, "requestIP")
  );
}
