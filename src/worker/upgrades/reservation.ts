/**
 * A connection to the inner server whose handshake waits there while the app is asked. It is accepted and given to the
 * client's tunnel, or dropped.
 */
import type { Accepted, InnerServer, Offer, Waiting } from "../../app/websocket/inner-server.ts";
import type { Wire } from "../connection/wire.ts";
import type { InnerEnd } from "./inner-end.ts";
import type { Tunnel } from "./tunnel.ts";

/** A socket of this process, whose owner can be another. */
type InnerWire = Wire & { data: unknown };

/**
 * It can be accepted; the inner server doesn't read so much; the client or the inner server has gone; there is no way to the
 * inner server.
 */
export type Readiness = "read" | "too large" | "lost" | "refused";

export class Reservation implements InnerEnd {
  readonly #server: InnerServer;
  readonly #token: string;
  readonly #ready = Promise.withResolvers<Readiness>();
  #handshake: Buffer | null;
  #wire: InnerWire | null = null;
  #waiting: Waiting | null = null;
  /** What the inner server has sent before the tunnel is there. */
  #received: Buffer[] = [];
  #ended = false;
  #closed = false;
  #dropped = false;

  constructor(server: InnerServer, offer: Offer) {
    this.#server = server;
    const { token, bytes } = server.announce(offer, (waiting) => {
      this.#waiting = waiting;
      this.#ready.resolve("read");
    });
    this.#token = token;
    this.#handshake = bytes;
  }

  /** What has become of the handshake, when it is known. */
  get ready(): Promise<Readiness> {
    return this.#ready.promise;
  }

  /** Makes a websocket of it: the app's `open` is called within. False if that can't be, or can't any more. */
  accept(accepted: Accepted): boolean {
    const waiting = this.#closed ? null : this.#waiting;
    // `open` may ask for the same once more.
    this.#waiting = null;
    return waiting?.accept(accepted) ?? false;
  }

  giveTo(tunnel: Tunnel): void {
    const wire = this.#wire as InnerWire;
    this.#wire = null;
    wire.data = tunnel as never;
    tunnel.opened(wire);
    if (this.#received.length > 0) wire.resume();
    for (const bytes of this.#received) tunnel.innerReceive(bytes);
    this.#received = [];
    if (this.#ended) tunnel.innerEnded();
    if (this.#closed) tunnel.innerClosed();
  }

  /** Unless it has been given away. It may not be open yet. */
  drop(): void {
    this.#dropped = true;
    this.#server.forget(this.#token);
    this.#ready.resolve("lost");
    this.#waiting?.decline();
    this.#waiting = null;
    this.#wire?.terminate();
  }

  opened(wire: Wire): void {
    if (this.#dropped) return wire.terminate();
    this.#wire = wire as InnerWire;
    // A new socket takes more than a head.
    wire.write(this.#handshake as Buffer);
    this.#handshake = null;
  }

  refused(): void {
    this.#ready.resolve("refused");
    this.drop();
  }

  /** The client hasn't taken yet what comes before: the inner server finds out by its own bounds. */
  innerReceive(bytes: Buffer): void {
    // An answer to what it hasn't read.
    this.#ready.resolve("too large");
    this.#received.push(bytes);
    this.#wire?.pause();
  }

  innerDrained(): void {}

  innerEnded(): void {
    this.#ended = true;
  }

  innerClosed(): void {
    this.#closed = true;
    this.#server.forget(this.#token);
    this.#ready.resolve("lost");
  }
}
