/**
 * The websocket handlers of an app, so that what one of them throws ends its own socket only: Bun.serve itself ends the
 * process.
 */
import { describeError } from "../../log/lines/describe-error.ts";

export type Socket = Bun.ServerWebSocket<unknown>;

/** What the handlers need of the worker around them. */
export interface GuardHost {
  readonly log: { exception(message: string): void };
  /** The setting websocket_max_message_size, in bytes; 0: what the app says. */
  readonly maxMessageBytes: number;
  /** The app says more than that: once for each Bun.serve. */
  bounded(maxPayloadLength: number): void;
  /** Before the app's own handler. */
  opened(socket: Socket): void;
  /** After the app's own handler has returned. */
  closed(socket: Socket): void;
}

/** RFC 6455 §7.4.1: the server met an unexpected condition. */
const unexpected = [1011, "Internal error"] as const;

const names = ["open", "message", "drain", "close", "ping", "pong"] as const;
type Name = (typeof names)[number];

type Handler = (...args: readonly unknown[]) => unknown;

/**
 * The option `websocket` for Bun.serve, made of the app's. A handler that throws or rejects is logged, and its socket
 * closed with 1011. Whatever else the app says stays, for Bun.serve to judge, but for maxPayloadLength, which the host
 * bounds.
 */
export function guardWebsocket(websocket: object, host: GuardHost): Bun.WebSocketHandler<unknown> {
  const guarded = names.map((name) => [name, { value: guardOf(websocket, name, host) }] as const);
  const properties = Object.fromEntries(guarded.filter(([, { value }]) => value !== undefined));
  const length = boundedLength(valueOf(websocket, "maxPayloadLength"), host);
  if (length !== undefined) properties["maxPayloadLength"] = { value: length };
  // By its prototype it is whatever else it was, a class's instance too.
  return Object.create(websocket, properties) as Bun.WebSocketHandler<unknown>;
}

/** Undefined: as it was. */
function guardOf(websocket: object, name: Name, host: GuardHost): unknown {
  const handler = valueOf(websocket, name);
  // Bun.serve refuses what isn't a function.
  if (handler !== undefined && handler !== null && typeof handler !== "function") return undefined;
  const own = typeof handler === "function" ? (handler as Handler) : null;
  if (name === "open") return opening(websocket, own, host);
  if (name === "close") return closing(websocket, own, host);
  return own === null ? undefined : guard(websocket, own, name, host);
}

/** For each message: no closure, nor a promise of ours. */
function guard(websocket: object, handler: Handler, name: Name, host: GuardHost): Handler {
  return (socket, first, second) => {
    try {
      const result = handler.call(websocket, socket, first, second);
      if (result instanceof Promise) watch(result, socket as Socket, name, host);
    } catch (error) {
      fail(socket as Socket, name, error, host);
    }
  };
}

function opening(websocket: object, handler: Handler | null, host: GuardHost): Handler {
  const open = handler === null ? null : guard(websocket, handler, "open", host);
  return (socket) => {
    host.opened(socket as Socket);
    open?.(socket);
  };
}

function closing(websocket: object, handler: Handler | null, host: GuardHost): Handler {
  const close = handler === null ? null : guard(websocket, handler, "close", host);
  return (socket, code, reason) => {
    close?.(socket, code, reason);
    host.closed(socket as Socket);
  };
}

function watch(result: Promise<unknown>, socket: Socket, name: Name, host: GuardHost): void {
  result.catch((error: unknown) => fail(socket, name, error, host));
}

function fail(socket: Socket, name: Name, error: unknown, { log }: GuardHost): void {
  const what = `Error handling websocket ${name} of ${socket.remoteAddress}`;
  log.exception(`${what}\n${describeError(error)}`);
  // One that has closed already stays as it is.
  socket.close(...unexpected);
}

/** Undefined: as the app says. */
function boundedLength(own: unknown, host: GuardHost): number | undefined {
  const { maxMessageBytes } = host;
  if (maxMessageBytes === 0) return undefined;
  if (own === undefined || own === null) return maxMessageBytes;
  // Bun.serve refuses what isn't a number.
  if (typeof own !== "number" || own <= maxMessageBytes) return undefined;
  host.bounded(own);
  return maxMessageBytes;
}

function valueOf(of: object, name: string): unknown {
  return (of as Readonly<Record<string, unknown>>)[name];
}
