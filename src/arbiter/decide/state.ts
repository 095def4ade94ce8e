/** The state of the arbiter. Only update() makes a new one; nothing here touches a process. */
import type { AutoscaleBounds } from "../../scaling/steps.ts";

/**
 * A worker's life, seen from the master. `aborting` and `killed` are steps of an escalation;
 * a `tired` worker serves on until its successor is ready.
 */
export type Phase = "booting" | "ready" | "draining" | "quitting" | "aborting" | "killed";

export interface WorkerState {
  /** Birth order, and the worker's identity: a pid may come back, an age never does. */
  readonly age: number;
  readonly pid: number;
  readonly slot: number;
  /** The worker's row of the scoreboard: the slot's first or second. */
  readonly row: number;
  readonly generation: number;
  readonly phase: Phase;
  /** When the phase began, in the master's milliseconds. */
  readonly phaseSinceMs: number;
  /** The process takes signals: a TERM before that would kill it, and reset what waits in its queues. */
  readonly awake: boolean;
  /** Has said that it leaves: its event loop runs. */
  readonly answered: boolean;
  /** An operator wants it to leave. */
  readonly dismissed: boolean;
  /** Its heartbeat had stopped. */
  readonly timedOut: boolean;
  /** Reached max_requests, max_memory or max_lifetime, or asked for it: a successor is wanted. */
  readonly tired: boolean;
  /** Has served warmup_requests, or has waited for them long enough: the worker that it succeeds may go. */
  readonly warm: boolean;
  /** Was told to answer `Connection: close` from now on: a stop with drain_delay. */
  readonly windingDown: boolean;
  /** Of its generation's certificates, the edition that it serves with. */
  readonly edition: number;
  /** How long it may serve, jitter included. */
  readonly lifetimeMs: number;
  /** The last heartbeat counter seen, and when it was seen to change. */
  readonly beat: number;
  readonly beatAtMs: number;
  readonly readyAtMs: number | null;
  /** The least resident set seen soon after it was ready, before traffic made it grow; null if none was. */
  readonly freshBytes: number | null;
}

export interface SlotState {
  /** A worker of this slot has been ready since its sockets were opened. */
  readonly served: boolean;
  /** Workers that died one after another, each soon after its start. */
  readonly failures: number;
  readonly retryAtMs: number;
}

/** The settings that the arbiter's decisions need, in milliseconds. */
export interface Times {
  readonly timeoutMs: number;
  readonly gracefulTimeoutMs: number;
  readonly drainDelayMs: number;
}

/** The settings about the replacement of workers. */
export interface Recycling {
  /** How many slots may be in replacement at a time; Infinity for no bound. */
  readonly maxRestarting: number;
  readonly warmupRequests: number;
  /** Of the resident set; Infinity for no bound. */
  readonly maxMemoryBytes: number;
}

/** What a reload changes, kept so that a reload that fails can be taken back whole. */
export interface Generation extends Times, Recycling {
  /** Counted from 1 over the master's life. */
  readonly number: number;
  readonly workers: number;
  /** How often its certificates have been renewed since they were read with it. */
  readonly edition: number;
  /** Its workers serve new connections with what they are sent; else they are replaced for new certificates. */
  readonly takesCredentials: boolean;
  /** Between which bounds the load says how many workers there are; null: only `workers` and operators do. */
  readonly autoscale: AutoscaleBounds | null;
}

export interface Stopping {
  readonly how: "graceful" | "quick";
  /** From when the patience counts. */
  readonly sinceMs: number;
  /** How long workers may take before they are killed. */
  readonly patienceMs: number;
  /** drain_delay: how long workers serve on, answering `Connection: close`, before they are told to leave. */
  readonly delayMs: number;
  readonly exitCode: number;
  /** Why, when it isn't an operator's wish. */
  readonly reason: string | null;
}

/** What the arbiter knows and wants, in three parts: who serves, where from, and what becomes of the master itself. */
export interface State {
  readonly fleet: Fleet;
  readonly sockets: Sockets;
  readonly mastership: Mastership;
}

/** The workers that are there, and those that are wanted: how many, and born under which configuration. */
export interface Fleet {
  readonly target: number;
  readonly wanted: Generation;
  /** The generation to go back to while no worker of `wanted` has been ready. */
  readonly fallback: Fallback | null;
  /** A worker of `wanted` has been ready. */
  readonly proven: boolean;
  /** The number given to the newest load of the configuration; loads that failed use one up too. */
  readonly lastGeneration: number;
  readonly loading: boolean;
  /** Why the newest load that has failed did so. */
  readonly failure: string | null;
  readonly reloadAgain: boolean;
  readonly workers: readonly WorkerState[];
  /** One entry for each slot whose sockets are open. */
  readonly slots: readonly SlotState[];
  readonly lastAge: number;
  readonly lastTickMs: number;
  /** How many workers have ended over the master's life, by why. */
  readonly ended: Readonly<Record<Ending, number>>;
  readonly autoscaling: Autoscaling;
}

/** How `autoscale` has gone. */
export interface Autoscaling {
  /** An operator has said how many workers there are: until the next configuration. */
  readonly paused: boolean;
  /** Steps over the master's life. */
  readonly up: number;
  readonly down: number;
}

/**
 * Why a worker has ended. `told`: by a reload, fewer slots, or a stop; `recycled`: it was told to after max_requests, max_memory,
 * max_lifetime, or because it asked for a successor; `timeout`: its heartbeat had stopped; `killed`: it hadn't left in time;
 * `signal`: by one that the master hasn't sent; `exit`: on its own account; `boot`: before it was ready.
 */
export type Ending = "told" | "recycled" | "timeout" | "killed" | "signal" | "exit" | "boot";

export interface Fallback {
  readonly generation: Generation;
  readonly target: number;
  /** The target was set by hand. */
  readonly paused: boolean;
}

/** Something has changed at listening sockets for connections that begin from then on. */
export interface SocketsChange {
  readonly sinceMs: number;
  /** At `lookedAtMs` others had begun, whose clients may be silent for a while: see os/sockets/listening/defer-accept.ts. */
  readonly handshakes: boolean;
  readonly lookedAtMs: number;
}

/** What is under way at the listening sockets, for all slots at once; since when, in the master's milliseconds. */
export interface Sockets {
  /** To how many slots new connections are steered, and since when; null: the kernel spreads them over all. */
  readonly steered: (SocketsChange & { readonly count: number }) | null;
  /** The system has done so when it was told last. */
  readonly steerable: boolean;
  /** How many slots another master has too: beyond them nobody serves what this one leaves. */
  readonly common: number;
  /** Sockets of an address that only older generations bind to may still be open, and take connections. */
  readonly unused: boolean;
  /** Since when those refuse new connections. */
  readonly unusedRefused: SocketsChange | null;
  /** Since when all sockets refuse new connections: part of stopping. */
  readonly refused: SocketsChange | null;
  /** This master has closed its listening sockets; workers may have theirs. */
  readonly closed: boolean;
}

/** What becomes of the master: whether it stops or rests, which other master is there, and what its log has heard. */
export interface Mastership {
  readonly stopping: Stopping | null;
  /** WINCH: no workers, but the sockets stay, until HUP or TTIN. */
  readonly resting: boolean;
  /** Until the next configuration: clients are told to go elsewhere, and are served on. */
  readonly draining: boolean;
  /** A terminal is attached to the master. */
  readonly onTerminal: boolean;
  /** The new master that USR2 has started on the same sockets. */
  readonly upgrade: { readonly pid: number } | null;
  /** This is the new master of an upgrade, and the old one still lives. */
  readonly understudy: boolean;
  /** What the system has refused and the log has heard of. */
  readonly told: readonly string[];
}

const noneEnded: Fleet["ended"] = {
  told: 0,
  recycled: 0,
  timeout: 0,
  killed: 0,
  signal: 0,
  exit: 0,
  boot: 0,
};

export const freshSlot: SlotState = { served: false, failures: 0, retryAtMs: 0 };

/**
 * The state at start: the sockets of `slots` slots are open, no worker is there yet. `understudy`: an older master serves on
 * the same sockets; `autoscaled`: with so many workers, if the load says how many there are.
 */
export function initialState(
  generation: Generation,
  nowMs: number,
  {
    slots = generation.workers,
    understudy = false,
    onTerminal = false,
    autoscaled = null as number | null,
  } = {},
): State {
  const { workers, autoscale } = generation;
  return {
    fleet: {
      target: autoscale === null ? workers : within(autoscale, autoscaled ?? workers),
      wanted: generation,
      fallback: null,
      proven: false,
      lastGeneration: generation.number,
      loading: false,
      failure: null,
      reloadAgain: false,
      workers: [],
      slots: Array.from({ length: slots }, () => freshSlot),
      lastAge: 0,
      lastTickMs: nowMs,
      ended: noneEnded,
      autoscaling: { paused: false, up: 0, down: 0 },
    },
    sockets: {
      steered: null,
      steerable: true,
      common: slots,
      unused: false,
      unusedRefused: null,
      refused: null,
      closed: false,
    },
    mastership: {
      stopping: null,
      resting: false,
      draining: false,
      onTerminal,
      upgrade: null,
      understudy,
      told: [],
    },
  };
}

/** The number that bounds allow, next to another one. */
export function within({ min, max }: AutoscaleBounds, workers: number): number {
  return Math.min(max, Math.max(min, workers));
}

/** The worker serves requests of new connections. */
export function serving(worker: WorkerState): boolean {
  return worker.phase === "ready";
}

/** The worker was told to go, or is being made to. */
export function leaving(worker: WorkerState): boolean {
  return worker.phase !== "booting" && worker.phase !== "ready";
}

/** The numbers of the configurations that workers run under, may be born under, or may be taken back. */
export function generationsInUse({ wanted, fallback, workers }: Fleet): number[] {
  const numbers = [wanted.number, ...workers.map(({ generation }) => generation)];
  return fallback === null ? numbers : [...numbers, fallback.generation.number];
}

/**
 * How many slots are to have a worker. A new master also keeps what the old one has beyond its own target, as long as that
 * lives: it leaves those slots to this one (WINCH), and closes them when it comes back with fewer (HUP).
 */
export function wantedSlots({ fleet, sockets, mastership }: State): number {
  const { target } = fleet;
  return mastership.understudy ? Math.max(target, sockets.common) : target;
}

/** Another master uses the sockets too: what is done to the sockets themselves would be done to it. */
export function sharing({ upgrade, understudy }: Mastership): boolean {
  return upgrade !== null || understudy;
}
