/**
 * Servers of node:http, which listens by Bun.serve: in a worker they listen on a unix socket of the process, for
 * upgraded connections alone, and look as if they did so on this server's first address. Requests are dispatched to
 * them (dispatch.ts).
 */
import type { Listening } from "../captured-server.ts";
import { type Incoming, takeClient } from "./client-field.ts";
import type { OnNodeRequest } from "./dispatch.ts";

type Options = Readonly<Record<string, unknown>>;
type Serve = (options: never) => object;

/** The call comes of node:http. */
export function isNodeServer(options: Options): boolean {
  return "onNodeHTTPRequest" in options;
}

type Emit = (this: object, ...args: unknown[]) => boolean;

interface NodeServer {
  listenerCount(event: string): number;
}

/** The servers of node:http, by those of Bun's that they listen with. */
const owners = new WeakMap<object, NodeServer>();

/** Calls `serve` with the path of a unix socket that nobody else can reach, and says by which path this process does. */
export type ListenPrivately = (serve: (unix: string) => object) => {
  readonly listening: object;
  readonly path: string;
};

let isPatched = false;
/** The request that is being told of has come by such a socket. */
let isInside = false;

/** Starts it. `path` is how it is reached. */
export function serveInside(
  serve: Serve,
  options: Options,
  { url, address }: Listening,
  listen: ListenPrivately,
): { readonly server: object; readonly path: string; readonly onRequest: OnNodeRequest } {
  showClients();
  const onRequest = options["onNodeHTTPRequest"] as OnNodeRequest;
  const onNodeHTTPRequest = function (this: unknown, ...args: unknown[]): unknown {
    isInside = true;
    try {
      return Reflect.apply(onRequest, this, args as never);
    } finally {
      isInside = false;
    }
  };
  const { listening: server, path } = listen((unix) => {
    const place = { port: undefined, hostname: undefined, tls: undefined, unix };
    return serve({ ...options, ...place, onNodeHTTPRequest } as never);
  });
  const isUnix = typeof address === "string";
  const facts = {
    address,
    hostname: isUnix ? undefined : address.address,
    port: isUnix ? undefined : address.port,
    url: new URL(url),
  };
  for (const [name, value] of Object.entries(facts))
    Object.defineProperty(server, name, { value, configurable: true });
  return { server, path, onRequest };
}

/** Whether the node:http server of one of Bun's has listeners for requests that ask for another protocol. */
export function listensForUpgrades(server: object): boolean {
  return (owners.get(server)?.listenerCount("upgrade") ?? 0) > 0;
}

/** Events of a server whose first argument is a request. */
const withRequest = new Set(["request", "checkContinue", "checkExpectation", "upgrade", "connect"]);

/**
 * Before a listener sees a request, its socket tells of the client, and not of this process. Who doesn't know the field
 * isn't the worker, and is cut: where the socket can only be an abstract one, others reach it. And whose a server of
 * Bun's is, is found out when it listens.
 */
function showClients(): void {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = process.getBuiltinModule("node:http").Server;
  const emit = prototype.emit as Emit;
  // Called for each request: its arguments become no array (bench: express).
  prototype.emit = function (this: NodeServer, event: unknown, first: unknown, second: unknown) {
    if (isInside && withRequest.has(event as string)) {
      const request = first as Incoming;
      if (!takeClient(request)) {
        request.socket.destroy();
        return true;
      }
    } else if (event === "listening") noteOwner(this);
    if (arguments.length === 3) return emit.call(this, event, first, second);
    return Reflect.apply(emit, this, arguments as unknown as unknown[]);
  } as typeof prototype.emit;
}

/** Bun's node:http keeps the server that it listens with under a symbol of its own. */
function noteOwner(owner: NodeServer): void {
  for (const symbol of Object.getOwnPropertySymbols(owner)) {
    const value = (owner as unknown as Record<symbol, unknown>)[symbol];
    if (typeof value === "object" && value !== null && "requestIP" in value)
      owners.set(value, owner);
  }
}
