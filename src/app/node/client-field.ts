/**
 * Who has sent a request, for a node listener: the worker says it in a field that no client can know, and the listener finds it
 * where node:http has it, in `req.socket`.
 */
import type { ClientAddress } from "../server.ts";

/** Drawn for this process. */
export const clientField = `x-client-${crypto.randomUUID()}`;

/** The value of the field. */
export function describeClient(client: ClientAddress | null, encrypted: boolean): string {
  const address = client === null ? "-" : `${client.address} ${client.port} ${client.family}`;
  return `${encrypted ? "https" : "http"} ${address}`;
}

/** What node:http has made of a request. */
export interface Incoming {
  readonly headers: Record<string, unknown>;
  readonly rawHeaders: string[];
  readonly socket: { destroy(): void };
}

interface Client {
  readonly encrypted: boolean;
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly family: string | undefined;
}

/** By the sockets of the process's own: each carries requests of one client after another's. */
const clients = new WeakMap<object, Client>();

/**
 * Takes the field off a request, and shows what it says where the app looks for it. False if it isn't there: somebody
 * else has sent the request.
 */
export function takeClient({ headers, rawHeaders, socket }: Incoming): boolean {
  const value = headers[clientField];
  if (typeof value !== "string") return false;
  delete headers[clientField];
  const at = rawHeaders.findLastIndex(
    (name, index) => index % 2 === 0 && name.toLowerCase() === clientField,
  );
  if (at !== -1) rawHeaders.splice(at, 2);
  const [scheme, address, port, family] = value.split(" ");
  const isKnown = address !== "-";
  if (!clients.has(socket)) describeSocket(socket);
  clients.set(socket, {
    encrypted: scheme === "https",
    address: isKnown ? address : undefined,
    port: isKnown ? Number(port) : undefined,
    family: isKnown ? family : undefined,
  });
  return true;
}

const shown = {
  remoteAddress: "address",
  remotePort: "port",
  remoteFamily: "family",
  encrypted: "encrypted",
} as const satisfies Record<string, keyof Client>;

function describeSocket(socket: object): void {
  for (const [name, fact] of Object.entries(shown)) {
    Object.defineProperty(socket, name, {
      get: () => clients.get(socket)?.[fact],
      configurable: true,
      enumerable: true,
    });
  }
}
