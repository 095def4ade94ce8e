/**
 * Who has sent a request that goes to a node listener by a socket of this process: the worker notes it under a name that no
 * client can know, in a field, and the listener finds it where node:http has it, in `req.socket`.
 */
import type { ClientAddress } from "../server.ts";
import { type SecureClient, showTls } from "./handles/secure-socket.ts";

/** Drawn for this process. */
export const clientField = `x-client-${crypto.randomUUID()}`;

export interface SentBy {
  /** Null on a unix socket. */
  readonly address: ClientAddress | null;
  /** By TLS, or as a proxy says. */
  readonly encrypted: boolean;
  readonly client: SecureClient;
}

/** Whose requests are on their way, by the value of the field. */
const underWay = new Map<string, SentBy>();
let count = 0;

/** Answers the value of the field. Whoever notes it forgets it when the request has been answered, or never will be. */
export function noteClient(sentBy: SentBy): string {
  const value = String(count++);
  underWay.set(value, sentBy);
  return value;
}

export function forgetClient(value: string): void {
  underWay.delete(value);
}

/** What node:http has made of a request. */
export interface Incoming {
  readonly headers: Record<string, unknown>;
  readonly rawHeaders: string[];
  readonly socket: { destroy(): void };
}

/** By the sockets of the process's own: each may carry requests of one client after another's. */
const clients = new WeakMap<object, SentBy>();

/**
 * Takes the field off a request, and shows what was noted where the app looks for it. False if it isn't there: somebody
 * else has sent the request.
 */
export function takeClient({ headers, rawHeaders, socket }: Incoming): boolean {
  const value = headers[clientField];
  const sentBy = typeof value === "string" ? underWay.get(value) : undefined;
  if (sentBy === undefined) return false;
  delete headers[clientField];
  const at = rawHeaders.findLastIndex(
    (name, index) => index % 2 === 0 && name.toLowerCase() === clientField,
  );
  if (at !== -1) rawHeaders.splice(at, 2);
  if (!clients.has(socket)) describeSocket(socket);
  clients.set(socket, sentBy);
  showTls(socket, sentBy.client);
  return true;
}

const shown: Readonly<Record<string, (sentBy: SentBy) => unknown>> = {
  remoteAddress: ({ address }) => address?.address,
  remotePort: ({ address }) => address?.port,
  remoteFamily: ({ address }) => address?.family,
  encrypted: ({ encrypted }) => encrypted,
};

function describeSocket(socket: object): void {
  for (const [name, read] of Object.entries(shown)) {
    Object.defineProperty(socket, name, {
      get: () => read(clients.get(socket)!),
      configurable: true,
      enumerable: true,
    });
  }
}
