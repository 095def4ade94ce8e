/**
 * Servers of node:http, which listens by Bun.serve: in a worker they listen on a unix socket of the process, for the bridge, and
 * look as if they did so on this server's first address.
 */
import type { Listening } from "../captured-server.ts";
import { takeClient } from "./client-field.ts";

type Options = Readonly<Record<string, unknown>>;
type Serve = (options: never) => object;

/** The call comes of node:http. */
export function isNodeServer(options: Options): boolean {
  return "onNodeHTTPRequest" in options;
}

let count = 0;
let isPatched = false;

/** Starts it. `path` is where it listens. */
export function serveInside(
  serve: Serve,
  options: Options,
  { url, address }: Listening,
): { readonly server: object; readonly path: string } {
  showClients();
  count += 1;
  const path = `\0gunicorn-ts-${process.pid}-${count}`;
  const inside = { ...options, port: undefined, hostname: undefined, tls: undefined, unix: path };
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

/** Before a listener sees a request, its socket tells of the client, and not of the bridge. */
function showClients(): void {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = process.getBuiltinModule("node:http").Server;
  const emit = prototype.emit as (...args: unknown[]) => boolean;
  prototype.emit = function (this: unknown, ...args: unknown[]): boolean {
    if (withRequest.has(args[0] as string)) takeClient(args[1] as never);
    return Reflect.apply(emit, this, args);
  } as typeof prototype.emit;
}
