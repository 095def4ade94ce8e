/**
 * A connection that has left HTTP: its bytes go to a socket inside of this process and come from there, whatever they
 * mean.
 *
 * | what happens               | what follows                                                                       |
 * | -------------------------- | ---------------------------------------------------------------------------------- |
 * | bytes come                 | the other side gets them; while it doesn't take them, no more are read             |
 * | a side sends FIN           | the other one gets it behind the bytes, and may go on sending                      |
 * | the client's socket closes | the inner one is closed at once                                                    |
 * | the inner socket closes    | the client gets what is left, and FIN; it has 2 seconds to close                   |
 * | a write finds it closed    | its last bytes and its end come yet: it has 2 seconds                              |
 * | the client takes nothing   | write_timeout, by progress: it is reset                                            |
 * | the inner side takes none  | nothing: how long a client waits is the app's business                             |
 * | the worker leaves          | the inner side gets FIN, and has 2 seconds, as has the client then                 |
 */
import type { LastingMember } from "../connection/connections.ts";
import { type DeadlineTicks, Deadlines } from "../connection/deadlines.ts";
import type { Wire, WireOwner } from "../connection/wire.ts";
import { Flow } from "./flow.ts";
import type { InnerEnd } from "./inner-end.ts";

/** What a tunnel begins with, and whom it tells. */
export interface TunnelParts {
  readonly client: Wire;
  /** What the inner side gets before all that the client sends. */
  readonly first: Buffer;
  /** The client has sent FIN. */
  readonly ended: boolean;
  readonly deadlines: DeadlineTicks;
  /** Called once, with the status of the inner side's first answer; null: there is none. */
  readonly answered: (status: number | null) => void;
}

/** The inner side isn't there yet. */
const opening = 0;
const open = 1;
/** The inner side has gone; the client may have something to take. */
const lingering = 2;
const over = 3;

const unavailable =
  "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

export class Tunnel implements LastingMember, WireOwner, InnerEnd {
  readonly #client: Wire;
  readonly #times: DeadlineTicks;
  #stage: typeof opening | typeof open | typeof lingering | typeof over = opening;
  #first: Buffer | null;
  #clientDone: boolean;
  #answered: TunnelParts["answered"] | null;
  #inner: Wire | null = null;
  #toInner: Flow | null = null;
  #toClient: Flow | null = null;
  /** While the client has something to take, or to close. */
  #deadlines: Deadlines | null = null;
  /** The worker leaves, or the inner side. */
  #leaving = false;

  constructor({ client, first, ended, deadlines, answered }: TunnelParts) {
    this.#client = client;
    this.#times = deadlines;
    this.#first = first;
    this.#clientDone = ended;
    this.#answered = answered;
    client.data = this;
    client.pause();
  }

  // What the inner side does.

  opened(inner: Wire): void {
    if (this.#stage === over) return inner.terminate();
    const first = this.#first as Buffer;
    this.#stage = open;
    this.#first = null;
    this.#inner = inner;
    this.#toInner = new Flow(this.#client, inner);
    this.#toClient = new Flow(inner, this.#client);
    this.#client.resume();
    if (first.length > 0 && !this.#toInner.pass(first)) this.#innerIsDeaf();
    if (this.#clientDone) this.#toInner.end();
  }

  refused(): void {
    if (this.#stage === over) return;
    this.#client.write(unavailable);
    this.#abandon();
  }

  innerReceive(bytes: Buffer): void {
    if (this.#stage !== open) return;
    if (this.#answered !== null) this.#tell(statusOf(bytes));
    if (this.#toClient!.pass(bytes)) this.#watch();
    else this.#reset();
  }

  innerDrained(): void {
    if (this.#stage !== open) return;
    if (this.#toInner!.drained()) this.#endIfOver();
    else this.#innerIsDeaf();
  }

  innerEnded(): void {
    if (this.#stage !== open) return;
    this.#toClient!.end();
    this.#endIfOver();
  }

  innerClosed(): void {
    if (this.#stage !== open) return;
    this.#tell(null);
    this.#stage = lingering;
    this.#inner = null;
    this.#toInner = null;
    // It may be paused for the sake of the inner side, and then not even FIN is seen.
    this.#client.resume();
    this.#toClient!.end();
    this.#linger();
  }

  // What the client does.

  receive(bytes: Buffer): void {
    if (this.#stage === opening) this.#first = Buffer.concat([this.#first as Buffer, bytes]);
    else if (this.#stage === open && !this.#toInner!.pass(bytes)) this.#innerIsDeaf();
  }

  drained(): void {
    if (this.#toClient === null) return;
    this.#deadlines?.writeMoves();
    if (!this.#toClient.drained()) return this.#reset();
    if (this.#stage === lingering) return this.#linger();
    this.#watch();
    this.#endIfOver();
  }

  clientEnded(): void {
    this.#clientDone = true;
    if (this.#stage === lingering) return this.#linger();
    if (this.#stage !== open) return;
    this.#toInner!.end();
    this.#endIfOver();
  }

  closed(): void {
    const inner = this.#inner;
    this.#finish();
    inner?.terminate();
  }

  // What the worker does.

  tick(): void {
    const expired = this.#deadlines?.tick() ?? null;
    if (expired === "write_timeout") this.#reset();
    else if (expired !== null) this.#abandon();
  }

  /** The inner side hears of it as if the client had sent FIN, and may answer. */
  leave(): void {
    if (this.#stage === opening) return this.#abandon();
    if (this.#stage !== open) return;
    this.#leaving = true;
    this.#toInner!.end();
    this.#deadlines = this.#newDeadlines();
    this.#deadlines.lingers();
    this.#endIfOver();
  }

  /** The inner socket has closed, and not told it yet: its last bytes come first. */
  #innerIsDeaf(): void {
    this.#client.resume();
    if (!this.#leaving) this.leave();
  }

  /** Bounds the time that the client takes. */
  #watch(): void {
    if (this.#leaving) return;
    const { pending } = this.#toClient!;
    if (pending && this.#deadlines === null) this.#deadlines = this.#newDeadlines();
    this.#deadlines?.writes(pending);
    // Idle tunnels are many.
    if (!pending) this.#deadlines = null;
  }

  /** The inner side has gone: waits until the client has all of it, and then a little for its FIN. */
  #linger(): void {
    if (!this.#toClient!.over) return this.#watch();
    if (this.#clientDone) return this.#abandon();
    this.#deadlines ??= this.#newDeadlines();
    this.#deadlines.lingers();
  }

  #newDeadlines(): Deadlines {
    const deadlines = new Deadlines(this.#times, this.#client);
    // No head is awaited.
    deadlines.requestComplete();
    return deadlines;
  }

  #endIfOver(): void {
    if (this.#toInner!.over && this.#toClient!.over) this.#abandon();
  }

  /** Ends both sides. */
  #abandon(): void {
    const inner = this.#inner;
    this.#finish();
    this.#client.end();
    inner?.end();
  }

  /** The client can't be reached, or doesn't take anything. */
  #reset(): void {
    const inner = this.#inner;
    this.#finish();
    this.#client.terminate();
    inner?.terminate();
  }

  #finish(): void {
    if (this.#stage === over) return;
    this.#stage = over;
    this.#tell(null);
    this.#first = null;
    this.#inner = null;
    this.#toInner = null;
    this.#toClient = null;
    this.#deadlines = null;
  }

  #tell(status: number | null): void {
    this.#answered?.(status);
    this.#answered = null;
  }
}

/** Of the first bytes of an answer. */
function statusOf(bytes: Buffer): number | null {
  const found = /^HTTP\/1\.[01] ([0-9]{3})/.exec(bytes.latin1Slice(0, Math.min(12, bytes.length)));
  return found === null ? null : Number(found[1]);
}
