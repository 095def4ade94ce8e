/**
 * Servers of node:http, which listens by Bun.serve: in a worker they listen on a unix socket of the process, for the bridge, and
 * look as if they did so on this server's first address.
 */
import type { Listening } from "../captured-server.ts";
import { type Incoming, takeClient } from "./client-field.ts";

type Options = Readonly<Record<string, unknown>>;
type Serve = (options: never) => object;

/** The call comes of node:http. */
export function isNodeServer(options: Options): boolean {
  return "onNodeHTTPRequest" in options;
}

type OnRequest = (...args: unknown[]) => unknown;

let count = 0;
let isPatched = false;
/** The request that is being told of has come by such a socket. */
let isInside = false;

/** Starts it. `path` is where it listens. */
export function serveInside(
  serve: Serve,
  options: Options,
  { url, address }: Listening,
): { readonly server: object; readonly path: string } {
  showClients();
  count += 1;
  const path = `\0gunicorn-ts-${process.pid}-${count}`;
  const onRequest = options["onNodeHTTPRequest"] as OnRequest;
  const onNodeHTTPRequest = function (this: unknown, ...args: unknown[]): unknown {
    isInside = true;
    try {
      return Reflect.apply(onRequest, this, args);
    } finally {
      isInside = false;
    }
  };
  const place = { port: undefined, hostname: undefined, tls: undefined, unix: path };
  const inside = { ...options, ...place, onNodeHTTPRequest };
  const server = serve(inside as never);
  const isUnix = typeof address === "string";
  const facts = {
    address,
    hostname: isUnix ? undefined : address.address,
    port: isUnix ? undefined : address.port,
    url: new URL(url),
  };
  for (const [name, value] of Object.entries(facts))
    Object.defineProperty(server, name, { value, configurable: true });
  return { server, path };
}

/** Events of a server whose first argument is a request. */
const withRequest = new Set(["request", "checkContinue", "checkExpectation", "upgrade", "connect"]);

/**
 * Before a listener sees a request, its socket tells of the client, and not of the bridge. An abstract socket takes whoever
 * is on the machine: who doesn't know the field isn't the bridge, and is cut.
 */
function showClients(): void {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = process.getBuiltinModule("node:http").Server;
  const emit = prototype.emit as (...args: unknown[]) => boolean;
  prototype.emit = function (this: unknown, ...args: unknown[]): boolean {
    if (withRequest.has(args[0] as string)) {
      const request = args[1] as Incoming;
      if (!takeClient(request) && isInside) {
        request.socket.destroy();
        return true;
      }
    }
    return Reflect.apply(emit, this, args);
  } as typeof prototype.emit;
}
