/** A socket for unit tests: it takes as many bytes as a test says, and tells what was done to it. */
import type { Handlers, OwnedSocket } from "../../src/worker/connection/acceptor.ts";
import type { Wire, WireOwner } from "../../src/worker/connection/wire.ts";

export class FakeWire implements Wire {
  fd = 7;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: "IPv4" | "IPv6" | undefined;
  localAddress: string | undefined = undefined;
  localPort: number | undefined = undefined;
  localFamily: "IPv4" | "IPv6" | undefined = undefined;
  /** How many bytes it takes until drain(), and how many at most in one write. */
  room = Number.POSITIVE_INFINITY;
  mostPerWrite = Number.POSITIVE_INFINITY;
  /** How often receiveInto() gave something. */
  received = 0;
  /** Bytes that the kernel has taken and the client hasn't; -1: nobody knows. */
  unsent = -1;
  /** All that was done to it besides writing, in order, by the names of the methods. */
  readonly did: string[] = [];
  writes = 0;
  owner: WireOwner | null = null;
  /** Those of the listening socket that has accepted it, as Bun calls them; null: its owner is told at once. */
  handlers: Handlers | null = null;
  #written: Buffer[] = [];
  /** What the client has sent and nobody has read, FIN last. */
  #sent: Buffer[] = [];
  #finSent = false;
  #finTold = false;
  #paused = false;
  #closed = false;

  /** `address` null: a unix socket. */
  constructor(address: string | null = "192.0.2.7") {
    this.remoteAddress = address ?? undefined;
    this.remotePort = address === null ? undefined : 4321;
    this.remoteFamily = address === null ? undefined : "IPv4";
  }

  get data(): WireOwner {
    return this.owner as WireOwner;
  }

  set data(owner: WireOwner) {
    this.owner = owner;
  }

  /** All that was written, a character for each byte. */
  get text(): string {
    return Buffer.concat(this.#written).toString("latin1");
  }

  get paused(): boolean {
    return this.#paused;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The kernel has the client's FIN. */
  get finSent(): boolean {
    return this.#finSent;
  }

  /** What has come and nobody has read. */
  get unreadBytes(): number {
    return this.#sent.reduce((sum, { length }) => sum + length, 0);
  }

  /** The text since the last call. */
  take(): string {
    const { text } = this;
    this.#written = [];
    return text;
  }

  write(data: string | Uint8Array): number {
    if (this.#closed) return -1;
    this.writes += 1;
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : Buffer.from(data);
    const count = Math.min(bytes.length, this.room, this.mostPerWrite);
    this.room -= count;
    this.#written.push(bytes.subarray(0, count));
    return count;
  }

  shutdown(): void {
    this.did.push("shutdown");
  }

  end(): void {
    this.did.push("end");
    this.#close();
  }

  close(): void {
    this.did.push("close");
    this.#close();
  }

  terminate(): void {
    this.did.push("terminate");
    this.#close();
  }

  pause(): void {
    this.did.push("pause");
    this.#paused = true;
  }

  resume(): void {
    this.did.push("resume");
    this.#paused = false;
  }

  /** The client sends text, a byte for each character, in pieces of `size`. */
  send(text: string, size = Number.POSITIVE_INFINITY): void {
    const bytes = Buffer.from(text, "latin1");
    for (let at = 0; at < bytes.length; at += size)
      this.#sent.push(Buffer.from(bytes.subarray(at, at + size)));
    this.turn();
  }

  /** The client sends texts, of which an event brings the first; the others are there by then. */
  sendBefore(text: string, behind: readonly string[]): void {
    for (const each of [text, ...behind]) this.#sent.push(Buffer.from(each, "latin1"));
    this.turn();
  }

  /** recv(2), of one piece at most. */
  receiveInto(into: Uint8Array): number {
    const piece = this.#sent[0];
    if (piece === undefined || this.#closed) return 0;
    const count = piece.copy(into);
    if (count < piece.length) this.#sent[0] = Buffer.from(piece.subarray(count));
    else this.#sent.shift();
    this.received += 1;
    return count;
  }

  /** The client sends FIN. */
  fin(): void {
    this.#finSent = true;
    this.turn();
  }

  /** The socket has an error, which Bun tells its handlers. */
  fail(error: Error): void {
    void this.handlers?.error?.(this.#socket, error);
  }

  /** The client resets the connection. */
  reset(): void {
    this.#close();
  }

  /** The socket takes `room` bytes more, and says so. */
  drain(room = Number.POSITIVE_INFINITY): void {
    this.room = room;
    if (this.#closed) return;
    if (this.handlers === null) this.owner?.drained();
    else void this.handlers.drain?.(this.#socket);
  }

  /** One turn of the event loop: what the client has sent is read, unless reading pauses. */
  turn(): void {
    while (this.#sent.length > 0 && !this.#paused && !this.#closed)
      this.#receive(this.#sent.shift() as Buffer);
    if (!this.#finSent || this.#finTold || this.#paused || this.#closed) return;
    this.#finTold = true;
    if (this.handlers === null) this.owner?.clientEnded();
    else void this.handlers.end?.(this.#socket);
  }

  /** As Bun's own socket, for handlers. */
  get #socket(): OwnedSocket {
    return this as unknown as OwnedSocket;
  }

  #receive(bytes: Buffer): void {
    if (this.handlers === null) this.owner?.receive(bytes);
    else void this.handlers.data?.(this.#socket, bytes);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.fd = -1;
    if (this.handlers === null) this.owner?.closed();
    else void this.handlers.close?.(this.#socket);
  }
}
