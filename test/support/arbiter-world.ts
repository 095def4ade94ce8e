/**
 * A world for update() and plan(): workers that boot, serve, tire, hang and die on a clock of its own; it checks the
 * invariants as it goes.
 */
import type { Action, Done, Event, Reaction } from "../../src/arbiter/decide/events.ts";
import { takenAs } from "../../src/arbiter/decide/update/failures.ts";
import { plan } from "../../src/arbiter/decide/plan.ts";
import {
  type Generation,
  initialState,
  type State,
  type WorkerState,
} from "../../src/arbiter/decide/state.ts";
import { update } from "../../src/arbiter/decide/update/update.ts";

export function generation(number: number, change: Partial<Generation> = {}): Generation {
  return {
    number,
    workers: 2,
    timeoutMs: 30_000,
    gracefulTimeoutMs: 30_000,
    drainDelayMs: 0,
    maxRestarting: Number.POSITIVE_INFINITY,
    warmupRequests: 0,
    maxMemoryBytes: Number.POSITIVE_INFINITY,
    edition: 0,
    takesCredentials: true,
    autoscale: null,
    ...change,
  };
}

export class World {
  state: State;
  nowMs = 1000;
  /** Everything said and done, in order. */
  readonly reactions: Reaction[] = [];
  readonly actions: Action[] = [];
  /** Whether processes that are spawned take signals at once. */
  wakes = true;
  /** The error by which the system refuses an action; null: it doesn't. */
  refuses: (action: Action) => string | null = () => null;
  /** Clients have connected that are silent. */
  handshakes = false;
  /** The workers that a signal has reached. */
  readonly reached = new Set<number>();
  /** max_lifetime of the workers that are spawned from now on. */
  lifetimeMs = Number.POSITIVE_INFINITY;
  /** What the scoreboard and the system say about workers, by age. */
  readonly requests = new Map<number, number>();
  readonly memoryBytes = new Map<number, number>();
  halted: Extract<Action, { do: "halt" }> | null = null;
  readonly #signalled = new Set<string>();
  readonly #woundDown = new Set<number>();
  #restarting = 0;
  /** The newest generation that has changed where the server listens. */
  #rebound = 1;

  constructor(first: Generation = generation(1), options: Parameters<typeof initialState>[2] = {}) {
    this.state = initialState(first, this.nowMs, options);
    this.tick();
  }

  get lines(): string[] {
    return this.reactions.flatMap((each) => (each.do === "log" ? [each.message] : []));
  }

  worker(age: number): WorkerState {
    const found = this.state.fleet.workers.find((each) => each.age === age);
    if (found === undefined) throw new Error(`no worker of age ${age}`);
    return found;
  }

  /** The ages of the workers that serve, by slot. */
  serving(): number[][] {
    return Array.from({ length: this.state.fleet.target }, (_, slot) =>
      this.state.fleet.workers
        .filter((each) => each.slot === slot && each.phase === "ready")
        .map((each) => each.age),
    );
  }

  event(event: Event): this {
    this.#absorb(event);
    for (let rounds = 0; this.halted === null; rounds++) {
      if (rounds > 1000) throw new Error("plan() does not come to rest");
      const actions = plan(this.state, this.nowMs);
      if (actions.length === 0) break;
      for (const action of actions) this.#perform(action);
      this.#check();
    }
    return this;
  }

  signal(name: Extract<Event, { type: "signal" }>["name"]): this {
    return this.event({ type: "signal", name });
  }

  ready(...ages: number[]): this {
    for (const age of ages) this.event({ type: "message", age, message: "ready" });
    return this;
  }

  tired(age: number): this {
    return this.event({ type: "message", age, message: "tired" });
  }

  exit(age: number, code: number | null = 0, signal: string | null = null): this {
    return this.event({ type: "exited", age, code, signal });
  }

  loaded(next: Generation, rebound = false): this {
    if (rebound) this.#rebound = next.number;
    return this.event({ type: "config loaded", generation: next, rebound });
  }

  /** Lets time pass; all workers beat but those named. */
  pass(ms: number, silent: readonly number[] = []): this {
    for (let left = ms; left > 0; left -= 250) {
      this.nowMs += Math.min(250, left);
      this.tick(silent);
    }
    return this;
  }

  tick(silent: readonly number[] = []): this {
    const scores = this.state.fleet.workers.map(({ age, beat }) => {
      const requests = this.requests.get(age) ?? 0;
      const memoryBytes = this.memoryBytes.get(age) ?? null;
      return [
        age,
        { beat: silent.includes(age) ? beat : beat + 1, requests, memoryBytes },
      ] as const;
    });
    return this.event({ type: "tick", scores: new Map(scores) });
  }

  #absorb(event: Event): void {
    const step = update(this.state, event, this.nowMs);
    this.state = step.state;
    this.reactions.push(...step.reactions);
  }

  #perform(action: Action): void {
    this.actions.push(action);
    const code = action.do === "halt" ? null : this.refuses(action);
    if (code !== null) {
      this.#absorb({ type: "action failed", action, error: new Error(code) });
      return;
    }
    const done = this.#done(action);
    if (done !== null) this.#absorb(done);
    if (done?.type === "spawned" && this.wakes) {
      this.#absorb({ type: "message", age: done.age, message: "awake" });
    }
  }

  #done(action: Action): Done | null {
    switch (action.do) {
      case "spawn": {
        const { age, slot, row, generation: number } = action;
        if (this.state.fleet.workers.some((each) => each.row === row))
          throw new Error(`row ${row} twice`);
        const { lifetimeMs } = this;
        return { type: "spawned", age, pid: 1000 + age, slot, row, generation: number, lifetimeMs };
      }
      case "signal": {
        // What KILL hasn't ended is killed again, later.
        const at = action.signal === "SIGKILL" ? ` at ${this.nowMs}` : "";
        const key = `${action.signal} to ${action.age}${at}`;
        if (this.#signalled.has(key)) throw new Error(`${key} twice`);
        this.#signalled.add(key);
        this.#checkServed(action);
        this.reached.add(action.age);
        return { type: "signalled", age: action.age, signal: action.signal };
      }
      case "wind down":
        if (this.#woundDown.has(action.age)) throw new Error(`${action.age} winds down twice`);
        this.#woundDown.add(action.age);
        return { type: "winding down", age: action.age };
      case "send credentials": {
        const { age, edition } = action;
        const { phase, edition: has } = this.worker(age);
        if (phase !== "booting" && phase !== "ready")
          throw new Error(`certificates for ${age}, which is ${phase}`);
        if (edition <= has) throw new Error(`certificates for ${age} twice`);
        return { type: "credentials sent", age, edition };
      }
      case "open slot":
        return { type: "slot opened" };
      case "halt":
        this.halted = action;
        return null;
      default:
        return this.#withHandshakes(takenAs(action));
    }
  }

  #withHandshakes(done: Done | null): Done | null {
    if (done === null || !("handshakes" in done)) return done;
    // As performOnSockets(), which has nothing to look for where all slots get connections.
    const all = done.type === "steered" && done.count >= this.state.fleet.slots.length;
    return { ...done, handshakes: this.handshakes && !all };
  }

  /**
   * Who serves an address that is dropped leaves it to somebody, unless new connections are refused there, and none is
   * under way.
   */
  #checkServed({ age, because }: Extract<Action, { do: "signal" }>): void {
    const { fleet, sockets, mastership } = this.state;
    const settled = !sockets.unused && sockets.unusedRefused === null;
    if (settled || mastership.stopping !== null || mastership.resting || because !== null) return;
    const serves = (each: WorkerState) =>
      each.phase === "ready" && each.generation < this.#rebound && each.slot < fleet.target;
    const { slot } = this.worker(age);
    const servers = fleet.workers.filter((each) => each.slot === slot && serves(each));
    if (servers.length === 1 && servers[0]?.age === age)
      throw new Error(`${age} leaves, and nobody serves the dropped address in slot ${slot}`);
  }

  #check(): void {
    const { workers, slots, target, wanted } = this.state.fleet;
    const { steered } = this.state.sockets;
    let restarting = 0;
    for (const [slot] of slots.entries()) {
      const here = workers.filter((each) => each.slot === slot);
      if (here.length > 2) throw new Error(`slot ${slot} has ${here.length} workers`);
      const staying = here.filter(({ phase }) => phase === "booting" || phase === "ready");
      if (staying.length > 1) restarting += 1;
    }
    if (restarting > Math.max(wanted.maxRestarting, this.#restarting)) {
      throw new Error(`${restarting} slots in replacement, allowed are ${wanted.maxRestarting}`);
    }
    // A reload may lower the bound below what is under way.
    this.#restarting = restarting;
    for (const worker of workers) {
      if (worker.slot >= slots.length) throw new Error(`worker in closed slot ${worker.slot}`);
    }
    if (steered !== null && steered.count > slots.length)
      throw new Error("steered beyond the slots");
    if (target < 1) throw new Error("target below 1");
  }
}

/** The signals that were sent, and to whom: `SIGTERM 1`. */
export function signals(world: World): string[] {
  return world.actions.flatMap((each) =>
    each.do === "signal" ? [`${each.signal} ${each.age}`] : [],
  );
}

/** The workers that were started. */
export function spawns(world: World): string[] {
  return world.actions.flatMap((each) =>
    each.do === "spawn" ? [`age ${each.age} slot ${each.slot} generation ${each.generation}`] : [],
  );
}
