/** The two halves of a connection: the transport moves bytes, the protocol knows what they mean. */
import type { FileStep } from "../../http/response/file-pump.ts";
import type { OutputBuffer } from "../../http/response/output.ts";
import type { Client } from "./client.ts";
import type { Member } from "./connections.ts";
import type { Deadlines, Expired } from "./deadlines.ts";
import type { FileSender } from "./file-sender.ts";
import type { Wire } from "./wire.ts";

/** What is spoken on a connection. Its methods change state; what follows from that is done in the transport's turn. */
export interface Protocol {
  /** It takes bytes; what comes while it doesn't is held. */
  readonly reading: boolean;
  /** Nothing follows what is in the output: the connection ends behind it. */
  readonly ended: boolean;
  /** By the client's own word nothing follows what it has sent, either. To be asked when it has ended. */
  readonly settled: boolean;
  /** Nothing is under way, and a new HTTP/1 connection in the place of this one goes on as it would. */
  readonly idle: boolean;
  /** The app has an answer to give. */
  readonly awaitsApp: boolean;
  /** What is under way ends with the connection, so that FIN would make it look complete (RFC 9112 §8). */
  readonly bodyOpen: boolean;
  /** Takes bytes. Answers how many; it stops where it isn't reading any more, or at a full output. */
  receive(bytes: Buffer): number;
  /** The output is written, which it wasn't for a while. */
  drained(): void;
  /** Nothing more comes, and all before that has been received. To be asked while it is reading. */
  clientEnded(): void;
  /** The connection is over. */
  closed(): void;
  /** The client took too long. True if it has an answer to that, false if the connection ends without. */
  expired(what: Expired): boolean;
  /** The worker leaves. */
  drain(): void;
}

/** What a connection is left to. One of the two is called, once. */
export interface Successor {
  /** `unread`: bytes that have come and nobody has read; `ended`: FIN has come behind them. */
  take(connection: Member, wire: Wire, unread: Buffer, ended: boolean): void;
  /** The client has left before. */
  lost(): void;
}

/** By os/sockets/receive.ts: reads a socket, and answers how many bytes. 0: its own events tell why. */
export type ReceiveInto = (socket: number, into: Uint8Array) => number;

/** What a protocol needs of its connection. */
export interface Transport {
  readonly output: OutputBuffer;
  readonly client: Client;
  readonly deadlines: Deadlines;
  /** The client can't be reached any more. */
  readonly gone: boolean;
  /** Nobody wants the bytes that come: the socket isn't read. */
  unwanted: boolean;
  /** Sees to what has changed: parses, writes, pauses, ends. True when nothing is left to write. */
  turn(): boolean;
  /** Writes what it can at once: a turn, or the write of the one that is under way. */
  push(): void;
  /**
   * Writes bytes of a file behind the output, which is empty: what the socket takes at once. To be called by the answer
   * that is under way, which hears by drained() when a full socket takes bytes again.
   */
  sendFile(sender: FileSender, fd: number, at: number, size: number): FileStep;
  /**
   * Fills `into` with what the socket has received behind what was given to the protocol, which holds nothing of it.
   * Answers how many bytes.
   */
  receiveInto(into: Uint8Array, receive: ReceiveInto): number;
  /** Writes what it can, and leaves by a reset. */
  cutShort(): void;
  /** Leaves the socket to `successor`, as soon as the output is written. */
  handOver(successor: Successor): void;
}
