/**
 * The native half of a node:http socket: a client's connection, whose bytes are the worker's business. The names are those that
 * Bun's code uses.
 */
import { connectionClosedError } from "../../../http/request/request.ts";
import type { ClientAddress } from "../../server.ts";
import { type SecureClient, showTls } from "./secure-socket.ts";
import type { ResponseHandle } from "./response-handle.ts";

const onTimeout = "_onTimeout";

/** Bun's Socket. */
export interface NodeSocket {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  /** Called when its time has run out, by setTimeout() or keepAliveTimeout. */
  [onTimeout](): void;
}

/** What is known of a connection. */
interface ConnectionEnd extends SecureClient {
  /** Where the client has connected to. */
  readonly localAddress: ClientAddress | null;
}

export class SocketHandle {
  onclose: (() => void) | undefined = undefined;
  ondata: unknown = undefined;
  ondrain: unknown = undefined;
  /** What is under way, or was the last. */
  response: ResponseHandle | undefined = undefined;
  /** When Bun's code is through with that; undefined: it is. */
  settled: Promise<unknown> | undefined = undefined;
  closed = false;
  readonly bytesWritten = 0;
  readonly secureEstablished: boolean;
  readonly remoteAddress: ClientAddress | null;
  readonly #end: ConnectionEnd | null;
  #duplex: NodeSocket | undefined = undefined;

  /** @param end null: nobody knows */
  constructor(
    remoteAddress: ClientAddress | null,
    isEncrypted: boolean,
    end: ConnectionEnd | null,
  ) {
    this.remoteAddress = remoteAddress;
    this.#end = end;
    this.secureEstablished = isEncrypted;
  }

  /** Bun's Socket, which sets it. */
  get duplex(): NodeSocket | undefined {
    return this.#duplex;
  }

  set duplex(socket: NodeSocket) {
    this.#duplex = socket;
    const expired = socket[onTimeout];
    // How long a client idles between two requests is the worker's business.
    socket[onTimeout] = () => {
      if (this.response?.isOver === false) expired.call(socket);
    };
    // Bun's code says what its own server is, right after this.
    if (this.#end !== null) showTls(socket, this.#end);
    if (this.secureEstablished)
      Object.defineProperty(socket, "encrypted", { get: () => true, set: () => {} });
  }

  get localAddress(): ClientAddress | null {
    return this.#end === null ? null : this.#end.localAddress;
  }

  /** Another request can come by it: as a proxy says, encrypted or not. */
  takes(isEncrypted: boolean): boolean {
    const socket = this.#duplex;
    if (this.closed || this.secureEstablished !== isEncrypted) return false;
    return socket === undefined || !(socket.destroyed || socket.writableEnded);
  }

  get isSettled(): boolean {
    const { settled } = this;
    return settled === undefined || Bun.peek.status(settled) !== "pending";
  }

  /** For one request alone. */
  closeBehind(settled: Promise<unknown> | undefined): void {
    const close = (): void => this.connectionClosed();
    // The listeners of the answer's end come first.
    if (settled === undefined) setImmediate(close);
    else void settled.then(close);
  }

  /** The client's connection has closed. */
  connectionClosed(): void {
    if (this.response?.isOver === false) this.response.clientLeft(connectionClosedError());
    if (this.closed) return;
    this.closed = true;
    this.onclose?.();
  }

  /** The listener closes it: behind the answer, if it has given one. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.response?.finished === true) this.response.hangUp();
    else this.response?.abort();
    // As the connection itself would: when what the listener does at this moment is done.
    setImmediate(() => this.onclose?.());
  }

  /** The listener sends nothing more. */
  end(): void {
    if (this.response?.finished === true) this.response.hangUp();
    else this.close();
  }

  reset(): void {
    this.close();
  }

  /** There is no answer but by ServerResponse. */
  write(): boolean {
    this.close();
    return true;
  }

  /** Lines, each with its CRLF: of the answer under way, right before its end. */
  setResponseTrailers(lines: string): void {
    this.response?.setTrailers(lines);
  }

  // The worker's business.

  closeIfIdle(): void {}
  closeWhenDrained(): void {}
  readStart(): void {}
  readStop(): void {}
  stopParsing(): void {}
}
