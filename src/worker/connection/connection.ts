/**
 * One connection as a transport: a socket, the bytes to and from it, and its deadlines, whatever is spoken on it.
 *
 * Every input (bytes, room, FIN, a tick, an answer of the app) changes state and then calls turn(), the only place that
 * parses, writes, pauses and ends; within one, push() may write before its time. Invariant: a turn isn't entered twice;
 * what changes during one is seen to before it is over.
 */
import { highWaterBytes } from "../../http/limits.ts";
import { clientTimeouts, receivedBytes, sentBytes } from "../../ipc/scoreboard-columns.ts";
import type { FileStep } from "../../http/response/file-pump.ts";
import { OutputBuffer } from "../../http/response/output.ts";
import type { Site } from "../exchange/site.ts";
import { Client, type Foregoing } from "./client.ts";
import type { Member } from "./connections.ts";
import { Deadlines, type Expired } from "./deadlines.ts";
import type { FileSender } from "./file-sender.ts";
import { HeldBytes } from "./held-bytes.ts";
import { IdleConnection, type Resume } from "./idle-connection.ts";
import { type Engine, Http1 } from "./http1.ts";
import type { Protocol, ReceiveInto, Successor, Transport } from "./protocol.ts";
import {
  all,
  behind,
  closing,
  full,
  leaving,
  lingering,
  open,
  over,
  resting,
  type Stage,
  stirred,
  type Takes,
  type Turn,
  turning,
} from "./states.ts";
import type { Wire, WireOwner } from "./wire.ts";

/** How much of a last answer waits for FIN: more fills packets of its own. */
const heldBackBytes = 16 * 1024;

type ClientTimeout = (typeof clientTimeouts)[number];

export class Connection implements Member, Transport, WireOwner {
  readonly output = new OutputBuffer();
  readonly client: Client;
  readonly deadlines: Deadlines;
  readonly #wire: Wire;
  readonly #site: Site;
  readonly #engine: Engine;
  readonly #held: HeldBytes;
  #protocol: Protocol;
  #stage: Stage = open;
  /** Set while leaving. */
  #successor: Successor | null = null;
  #turn: Turn = resting;
  #takes: Takes = all;
  /** The client has sent FIN, and all before that has been received. */
  #clientDone = false;
  /** Something was written before the last answer: nobody knows how much of it the client has. */
  #wrote = false;
  /** Nothing comes behind the only request, and the kernel has all of its answer, which is short. */
  #settled = false;

  /** `foregoing`: what is known of the client of a TLS connection, whose handshake is over. */
  constructor(wire: Wire, site: Site, engine: Engine, foregoing: Foregoing | null = null) {
    const { settings } = engine;
    this.#wire = wire;
    this.#site = site;
    this.#engine = engine;
    this.client = new Client(wire, settings, site, foregoing);
    this.deadlines = new Deadlines(settings.deadlines, wire);
    this.#held = new HeldBytes(wire);
    this.#protocol = new Http1(this, site, engine);
  }

  get gone(): boolean {
    return this.#stage === over;
  }

  set unwanted(unwanted: boolean) {
    this.#held.unwanted = unwanted;
  }

  get unwanted(): boolean {
    return this.#held.unwanted;
  }

  /**
   * From now on another protocol is spoken; what is held is the first that it receives. To be called between two of its
   * turns.
   */
  become(protocol: Protocol): void {
    this.#protocol = protocol;
    this.turn();
  }

  /** In place of one that has idled: so many ticks are left until keepalive expires. */
  goesOn(ticks: number): void {
    this.#wrote = true;
    this.deadlines.idles(ticks);
  }

  receive(bytes: Buffer): void {
    if (this.#stage >= lingering) return;
    count(this.#engine.scores.bytes, receivedBytes, bytes.length);
    this.#held.hold(bytes);
    this.turn();
  }

  /** The socket takes bytes again. */
  drained(): void {
    // Bun says so behind each handshake, too.
    if (this.#takes !== full) return;
    this.deadlines.writeMoves();
    this.#takes = behind;
    this.turn();
  }

  /** The client sends nothing more; it may still read, so what it has asked for is answered. */
  clientEnded(): void {
    this.#clientDone = true;
    if (this.#stage === lingering) return this.#abandon();
    this.#mayHaveLeft();
    this.turn();
  }

  /** The socket has closed, by whatever cause. */
  closed(): void {
    if (this.#stage === over) return;
    this.#stage = over;
    this.#held.take();
    this.output.clear();
    this.#protocol.closed();
    this.#successor?.lost();
    this.client.attached?.connectionClosed();
  }

  /** One step of the connections' clock. */
  tick(): void {
    // Not even FIN is seen while reading pauses.
    if (this.#held.paused && this.deadlines.clientHasEnded) this.#mayHaveLeft();
    const expired = this.deadlines.tick();
    if (expired === null) return this.#fold();
    const timeout = clientTimeouts.indexOf(expired as ClientTimeout);
    if (timeout !== -1) count(this.#engine.scores.timeouts, timeout, 1);
    if (this.#stage === open && this.#protocol.expired(expired)) this.turn();
    else this.#cut(expired);
  }

  /** The worker leaves: an idle client has until keepalive expires to send one more request. */
  drain(): void {
    if (this.#stage === open) this.#protocol.drain();
  }

  turn(): boolean {
    if (this.#turn === resting && this.#stage < lingering) {
      this.#turn = turning;
      try {
        this.#run();
      } finally {
        this.#turn = resting;
      }
    }
    return this.#stage !== over && this.output.byteLength === 0;
  }

  push(): void {
    if (this.#turn === resting) this.turn();
    else this.#write();
  }

  sendFile(sender: FileSender, fd: number, at: number, size: number): FileStep {
    if (this.#takes === full || this.#stage >= lingering) return "full";
    const step = sender.send(this.#wire, fd, at, size);
    if (typeof step === "number") count(this.#engine.scores.bytes, sentBytes, step);
    this.#wrote = true;
    this.deadlines.appWrites();
    if (sender.full) {
      this.#takes = full;
      this.deadlines.writes(true);
    }
    if (step !== "gone") return step;
    this.#reset();
    return "full";
  }

  receiveInto(into: Uint8Array, receive: ReceiveInto): number {
    // Bun doesn't document `fd`; it is -1 when the socket has closed.
    const { fd } = this.#wire;
    if (!(fd >= 0) || this.#stage !== open) return 0;
    const received = receive(fd, into);
    count(this.#engine.scores.bytes, receivedBytes, received);
    return received;
  }

  cutShort(): void {
    this.#writeOut();
    this.#wire.terminate();
  }

  handOver(successor: Successor): void {
    if (this.#stage !== open) return;
    this.#stage = leaving;
    this.#successor = successor;
    this.turn();
  }

  #run(): void {
    do {
      this.#turn = turning;
      this.#parse();
    } while (this.#write() && (this.#isStirred || this.#mayParse));
    if (this.#stage >= lingering) return;
    if (this.#stage === open || this.output.byteLength > 0) this.#steerReading();
    else if (this.#stage === closing) this.#linger();
    else this.#leave();
  }

  /** From here on the socket tells its successor what happens. */
  #leave(): void {
    this.#stage = over;
    const successor = this.#successor as Successor;
    this.#successor = null;
    successor.take(this, this.#wire, this.#held.take(), this.#clientDone);
    this.client.attached?.connectionClosed();
  }

  /** While it idles, less of it is enough. */
  #fold(): void {
    const ticks = this.deadlines.idleTicksLeft;
    if (ticks === null || this.#stage !== open || this.#clientDone || !this.#held.resting) return;
    const { client, output } = this;
    const { connections } = this.#engine;
    if (!this.#protocol.idle || client.attached !== null || output.byteLength > 0) return;
    if (connections.draining) return;
    this.#stage = over;
    const wire = this.#wire;
    const { foregoing } = client;
    const idle = new IdleConnection(wire, this.#site, this.#engine, foregoing, ticks, resume);
    wire.data = idle;
    connections.swap(this, idle);
  }

  get #isStirred(): boolean {
    return this.#turn === stirred;
  }

  /** A client that sends but doesn't read gets no more answers until it does. */
  get #mayParse(): boolean {
    return (
      !this.#held.empty &&
      this.#stage === open &&
      this.#protocol.reading &&
      this.output.byteLength <= highWaterBytes
    );
  }

  #parse(): void {
    while (this.#mayParse) {
      const bytes = this.#held.take();
      const taken = this.#protocol.receive(bytes);
      if (taken < bytes.length) this.#held.hold(bytes.subarray(taken));
    }
    if (this.#stage !== open) return;
    if (this.#clientDone && this.#held.empty && this.#protocol.reading)
      this.#protocol.clientEnded();
    if (!this.#protocol.ended) return;
    this.#stage = closing;
    this.#settled = this.#held.take().length === 0 && this.#protocol.settled && !this.#wrote;
  }

  /** Writes what the socket takes; true when nothing is left. */
  #write(): boolean {
    if (this.#stage === over) return false;
    if (this.output.byteLength > 0) this.deadlines.appWrites();
    const before = this.#takes;
    const held = this.#stage === closing && before === all && this.#holdBack();
    const left = before === full || !this.#writeOut();
    if (held && left) this.#engine.holdBack?.(this.#wire.fd, false);
    if (!held || left) this.#settled = false;
    this.#takes = left ? full : all;
    if (this.output.broken) {
      this.#reset();
      return false;
    }
    this.deadlines.writes(left);
    if (left || before === all) return !left;
    this.#turn = stirred;
    this.#protocol.drained();
    return this.output.byteLength === 0;
  }

  /**
   * FIN follows in the same turn, over TLS behind close_notify: the last answer leaves in one packet with them instead
   * of three (bench: tls-handshakes).
   */
  #holdBack(): boolean {
    const { byteLength } = this.output;
    const { holdBack } = this.#engine;
    const { fd } = this.#wire;
    if (holdBack === null || this.#clientDone || !(fd >= 0)) return false;
    if (byteLength === 0 || byteLength > heldBackBytes) return false;
    holdBack(fd, true);
    return true;
  }

  #writeOut(): boolean {
    const { output } = this;
    const before = output.byteLength;
    const empty = output.writeTo(this.#wire);
    if (before > 0) this.#wrote = true;
    count(this.#engine.scores.bytes, sentBytes, before - output.byteLength);
    return empty;
  }

  #steerReading(): void {
    const blocked = this.#stage === open && this.output.byteLength > highWaterBytes;
    this.#held.steer(blocked && this.#protocol.reading);
  }

  /** A client that closes and one that only stops sending look the same, until something is written to it. */
  #mayHaveLeft(): void {
    const atOnce = this.deadlines.clientQuiet(this.#protocol.awaitsApp);
    if (atOnce && this.output.byteLength === 0) this.#abandon();
  }

  /** Sends FIN behind the last answer, and waits a little for the client's. */
  #linger(): void {
    this.#stage = lingering;
    this.#held.unwanted = false;
    this.#steerReading();
    if (this.#clientDone) return this.#abandon();
    if (this.#settled && this.#nothingUnread) return this.#close();
    this.deadlines.lingers();
    this.#wire.shutdown();
  }

  /** Bytes that nobody has read make a reset of a close. */
  get #nothingUnread(): boolean {
    return this.#engine.settings.deadlines.probe.unreadBytes(this.#wire.fd) === 0;
  }

  /** Sends FIN behind the last answer, and doesn't wait for the client's: nothing comes that would be reset. */
  #close(): void {
    this.closed();
    // end() of a plain socket sends what is held back before FIN.
    if (this.client.tls === null) this.#wire.close();
    else this.#wire.end();
  }

  /** The client took too long: nobody waits for it any more. */
  #cut(expired: Expired): void {
    this.#site.log.debug(`Closing ip=${this.client.shown.address}: ${expired}`);
    // By a reset: the kernel would hold megabytes for a client that doesn't take them, for minutes.
    if (expired === "write_timeout") this.#wire.terminate();
    else if (expired === "keepalive" && this.deadlines.heldBytes > 0) this.#linger();
    else this.#abandon();
  }

  /** The client has left by a reset. Bun doesn't close a socket whose reset a write has met. */
  #reset(): void {
    this.closed();
    this.#wire.terminate();
  }

  /** Ends the connection, and what nobody waits for any longer. */
  #abandon(): void {
    if (this.#protocol.bodyOpen) return this.#reset();
    this.closed();
    this.#wire.end();
  }
}

function count(cells: Float64Array, index: number, more: number): void {
  cells[index] = (cells[index] as number) + more;
}

/** Of the former one nothing is left that was read and not answered: a new one does. */
const resume: Resume = (wire, site, engine, foregoing, ticks) => {
  const connection = new Connection(wire, site, engine, foregoing);
  connection.goesOn(ticks);
  return connection;
};
