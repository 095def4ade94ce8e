/**
 * A node listener (req, res) as a fetch app: each request is handed to the code of Bun's node:http that its own server would call,
 * with handles of ours in place of the connection. Limits, timeouts, logs and the drain are the worker's, as for every app.
 */
import type { RequestBody } from "../../http/request/body.ts";
import {
  rawHead,
  requestOwner,
  whenAborted,
  type RequestHead,
} from "../../http/request/request.ts";
import { ConnectionCut } from "../connection-cut.ts";
import type { ClientAddress } from "../server.ts";
import { rethrow } from "./handles/body-feed.ts";
import type { EngineExchange } from "./handles/engine-exchange.ts";
import { rawFields } from "./handles/raw-fields.ts";
import { ResponseHandle } from "./handles/response-handle.ts";
import type { SecureClient } from "./handles/secure-socket.ts";
import { type NodeSocket, SocketHandle } from "./handles/socket-handle.ts";

/** What Bun's node:http gives Bun.serve to be called for each request, by Bun 1.4. */
export type OnNodeRequest = (
  server: object,
  url: string,
  method: string,
  bits: number,
  handle: ResponseHandle,
  hasBody: boolean,
  socketHandle: SocketHandle,
  isSocketNew: boolean,
  socket: NodeSocket | undefined,
  isAncientHttp: boolean,
  head: undefined,
  isPipelined: false,
) => Promise<unknown> | undefined;

/** So many things are told of a request by the Bun that this is written for. */
const parameterCount = 12;

/** False for a Bun whose node:http is another one: what it would do with our handles nobody knows. */
export function isKnown(onRequest: OnNodeRequest): boolean {
  return onRequest.length === parameterCount;
}

/** Bits of what Bun has found in the head. */
const hasHost = 8;
const hasExpect = 16;
const expectsContinue = 32;

/** A server that can say who has sent a request. */
interface KnowsClients {
  requestIP(request: Request): ClientAddress | null;
}

/** What the worker's engine knows of a request that it has read; nothing of one that Bun.serve has. */
interface Owner extends EngineExchange {
  readonly scheme: string;
  readonly body: RequestBody | null;
  readonly client: SecureClient & {
    attached: { connectionClosed(): void } | null;
    /** Where it has connected to. */
    readonly localAddress: ClientAddress | null;
  };
  /** Logs what the app has got wrong. */
  complain(message: string, error: unknown): void;
}

/** @param server of Bun's, that the listener's node:http server has been given */
export function dispatchTo(
  onRequest: OnNodeRequest,
  server: object,
): (request: Request, from: unknown) => Response | Promise<Response> {
  const ask = (request: Request, owner: Owner | null, socket: SocketHandle) => {
    const head = rawHead(request);
    const body = owner === null ? request.body : owner.body;
    const { method } = request;
    const fields = head === null ? [...request.headers].flat() : rawFields(head);
    const handle = new ResponseHandle(method, fields, body, owner);
    socket.response = handle;
    try {
      socket.settled = onRequest(
        server,
        targetOf(request, head),
        method,
        owner?.expectsContinue === true ? hasHost | hasExpect | expectsContinue : hasHost,
        handle,
        body !== null,
        socket,
        socket.duplex === undefined,
        socket.duplex,
        owner !== null && owner.head.versionMinor === 0,
        undefined,
        false,
      );
    } catch (error) {
      if (!handle.finished) {
        // Bun's code is still at the request that has failed.
        socket.close();
        throw error;
      }
      // The answer stands.
      if (owner === null) process.nextTick(rethrow, error);
      else owner.complain("", error);
      socket.settled = new Promise(setImmediate);
    }
    // The engine tells the socket when its connection closes.
    if (owner === null) {
      if (!handle.isOver) whenAborted(request, (reason) => handle.clientLeft(reason));
      socket.closeBehind(socket.settled);
    }
    return handle.answer();
  };
  return (request, from) => {
    const owner = (requestOwner(request) as Owner | null | undefined) ?? null;
    const clients = from as KnowsClients;
    const socket = socketOf(request, clients, owner);
    // Bun's code is through with a request a moment after the answer: pipelined ones wait for that.
    if (socket.isSettled) return ask(request, owner, socket);
    return socket.settled!.then(() => {
      if (request.signal.aborted) throw new ConnectionCut();
      return ask(request, owner, socketOf(request, clients, owner));
    });
  };
}

/** The connection's, where the engine has one. */
function socketOf(request: Request, clients: KnowsClients, owner: Owner | null): SocketHandle {
  if (owner === null) {
    return new SocketHandle(clients.requestIP(request), request.url.startsWith("https:"), null);
  }
  const { client, scheme } = owner;
  const isEncrypted = scheme === "https";
  const { attached } = client;
  if (attached instanceof SocketHandle && attached.takes(isEncrypted)) return attached;
  attached?.connectionClosed();
  const socket = new SocketHandle(clients.requestIP(request), isEncrypted, client);
  client.attached = socket;
  return socket;
}

/** As it was sent, but for the path that the app is mounted at. */
function targetOf(request: Request, head: RequestHead | null): string {
  if (head !== null) return head.appTarget ?? head.target;
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}
