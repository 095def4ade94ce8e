/** Keeps what the workers have to do level: looks at the scoreboard, and tells the sockets what part each slot is to get. */
import type { Listeners } from "../../listen/listeners.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import {
  type Arrivals,
  expectedOf,
  noArrivals,
  noteArrivals,
  resting,
  sharesOf,
  type SlotLoad,
} from "../decide/balance.ts";
import { serving, sharing, type State, type WorkerState } from "../decide/state.ts";

/** How often it looks while connections come; at rest, with the arbiter's ticks. A look takes longer with more slots. */
const lookMs = 100;

/** A worker that leaves a connection waiting for so long, and accepts none, stands still. */
const stillMs = 20;

/** One whose heart hasn't beaten for so long does so too. */
const silentMs = 1000;

/** What was last seen of a slot. */
interface Seen {
  readonly accepted: number;
  readonly waiting: number;
  /** When the queue was last seen to be empty, or to begin, or something was accepted. */
  readonly movedAtMs: number;
}

export interface BalancerParts {
  readonly listeners: Pick<Listeners, "shares" | "steer" | "waitingAt">;
  /** The worker's row of the scoreboard. */
  readonly scoresOf: (age: number) => Scores | undefined;
  /** How many connections the worker serves at a time; Infinity where nothing bounds them. */
  readonly mostConnections: (age: number) => number;
  /** Told once why the system doesn't do it. */
  readonly refused: (error: Error) => void;
  /** A test's. */
  readonly clock?: Clock;
}

export interface Clock {
  nowMs(): number;
  after(ms: number, call: () => void): void;
}

type Scores = Pick<ScoreboardRow, "accepted" | "connections" | "inFlight" | "lateness" | "takes">;

const clockOfSystem: Clock = {
  nowMs: () => performance.now(),
  after: (ms, call) => void setTimeout(call, ms),
};

export class Balancer {
  readonly #parts: BalancerParts;
  readonly #clock: Clock;
  #state: State | null = null;
  readonly #seen: Seen[] = [];
  #arrivals: Arrivals = noArrivals;
  /** It looks again soon. */
  #pending = false;
  /** The system refuses it. */
  #off = false;

  constructor(parts: BalancerParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? clockOfSystem;
  }

  /** To be called after each event; there is a tick among them each quarter of a second. */
  observe(state: State): void {
    this.#state = state;
    const nowMs = this.#clock.nowMs();
    // Where all share a socket, they leave connections to one another themselves.
    for (const worker of state.fleet.workers) {
      const scores = this.#parts.scoresOf(worker.age);
      if (scores !== undefined) scores.takes = serving(worker) && beats(worker, nowMs) ? 1 : 0;
    }
    if (!this.#pending) this.#look(state, nowMs);
  }

  #look(state: State, nowMs: number): void {
    const { slots } = state.fleet;
    const count = state.sockets.steered?.count ?? slots.length;
    const { shares } = this.#parts.listeners;
    if (this.#off || shares === null || count < 2 || count > slots.length) return;
    const { understudy, stopping } = state.mastership;
    const shared = sharing(state.mastership);
    // An old master that lets its workers go has slots that the new one may have closed already.
    if (shared && !understudy && (state.mastership.resting || stopping !== null)) return;
    const loads = Array.from({ length: count }, (_, slot) => this.#loadOf(state, slot, nowMs));
    const arrivals = loads.reduce((sum, load) => sum + load.arrivals, 0);
    this.#arrivals = noteArrivals(this.#arrivals, arrivals, nowMs);
    const known = shared ? besideAnother(state, loads) : loads;
    const next = sharesOf(known, expectedOf(this.#arrivals, count, nowMs));
    // The other master may have steered for reasons of its own.
    const asBefore = sameShares(shares, next) || (shared && alike(shares) && alike(next));
    if (!asBefore) this.#steer(next);
    if (!resting(this.#arrivals, nowMs)) this.#lookAgain(Math.max(lookMs, count));
  }

  #lookAgain(afterMs: number): void {
    this.#pending = true;
    this.#clock.after(afterMs, () => {
      this.#pending = false;
      if (this.#state !== null) this.#look(this.#state, this.#clock.nowMs());
    });
  }

  #steer(shares: readonly number[]): void {
    const refused = this.#parts.listeners.steer(shares);
    if (refused === null) return;
    this.#off = true;
    this.#parts.refused(refused);
  }

  #loadOf({ fleet }: State, slot: number, nowMs: number): SlotLoad {
    const here = fleet.workers.filter((worker) => worker.slot === slot && serving(worker));
    const waiting = this.#parts.listeners.waitingAt(slot);
    let [accepted, load, lateness, room] = [0, waiting, 0, -waiting];
    for (const { age } of here) {
      const scores = this.#parts.scoresOf(age);
      if (scores === undefined) continue;
      accepted += scores.accepted;
      load += scores.connections + scores.inFlight;
      room += Math.max(0, this.#parts.mostConnections(age) - scores.connections);
      lateness = Math.max(lateness, scores.lateness);
    }
    const before = this.#seen[slot] ?? { accepted, waiting: 0, movedAtMs: nowMs };
    // What is seen for the first time may have come just now.
    const moved = waiting === 0 || before.waiting === 0 || accepted !== before.accepted;
    const movedAtMs = moved ? nowMs : before.movedAtMs;
    this.#seen[slot] = { accepted, waiting, movedAtMs };
    return {
      able: here.some((worker) => beats(worker, nowMs)),
      still: nowMs - movedAtMs >= stillMs,
      load,
      room: Math.max(0, room),
      lateness,
      arrivals: Math.max(0, accepted + waiting - before.accepted - before.waiting),
    };
  }
}

/**
 * Another master's workers serve at the same sockets, and only their queues tell of them: one that nobody empties. As long
 * as the old master's own workers serve, it goes by these: the new one's may not be up.
 */
function besideAnother({ mastership }: State, loads: readonly SlotLoad[]): readonly SlotLoad[] {
  const idle = { load: 0, room: Number.POSITIVE_INFINITY, lateness: 0 };
  return loads.map((load) => ({ ...load, ...idle, able: load.able || mastership.understudy }));
}

function alike(shares: readonly number[]): boolean {
  return new Set(shares).size < 2;
}

function beats({ beatAtMs }: WorkerState, nowMs: number): boolean {
  return nowMs - beatAtMs < silentMs;
}

function sameShares(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((share, slot) => share === others[slot]);
}
