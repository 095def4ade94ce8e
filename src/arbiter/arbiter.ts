/**
 * The arbiter: one queue of events, one loop. update() says what an event means, plan() what to do
 * next, and #perform is the only code that spawns, signals or closes. Nothing here awaits: what
 * takes time is started, and comes back as an event.
 */
import type { Scoreboard, ScoreboardRow } from "../ipc/scoreboard.ts";
import { parseAddress } from "../listen/address.ts";
import type { Listeners } from "../listen/listeners.ts";
import { createLog, describeError, type Log } from "../log/error-log.ts";
import { adopt, type Environment, withRawEnv } from "./environment.ts";
import type { Action, Done, Event, Reaction, WorkerSignal } from "./events.ts";
import {
  type AppConfig,
  asGeneration,
  checkReloadable,
  Generations,
  openOptions,
} from "./generations.ts";
import type { MasterHooks } from "./master-hooks.ts";
import { nextDeadlineMs, plan } from "./plan.ts";
import { signalWorker, spawnWorker } from "./spawn.ts";
import { initialState, type State } from "./state.ts";
import { update } from "./update.ts";

/** How often the scoreboard is read: fine enough to meet `timeout` within a second. */
const tickMs = 250;

/** plan() must come to rest; a state that never does is a bug that would otherwise spin. */
const planLimit = 10_000;

export interface ArbiterParts {
  readonly resolved: AppConfig;
  /** Loads the configuration anew for HUP; rejects with an error whose message says why not. */
  readonly reload: (generation: number) => Promise<AppConfig>;
  readonly listeners: Listeners;
  readonly scoreboard: Scoreboard;
  readonly hooks: MasterHooks;
  readonly log: Log;
  /** The environment that the master was started with. */
  readonly env: Environment;
}

interface Child {
  readonly process: Bun.Subprocess;
  readonly scores: ScoreboardRow;
  readonly slot: number;
  readonly generation: number;
}

export class Arbiter {
  readonly #parts: ArbiterParts;
  readonly #generations = new Generations();
  readonly #children = new Map<number, Child>();
  readonly #queue: Event[] = [];
  readonly #ended = Promise.withResolvers<number>();
  #state: State;
  #log: Log;
  #env: Environment;
  #busy = false;
  #over = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: ArbiterParts) {
    const generation = asGeneration(1, parts.resolved);
    this.#parts = parts;
    this.#log = parts.log;
    this.#env = withRawEnv(parts.env, parts.resolved.config.rawEnv);
    this.#generations.add(1, parts.resolved);
    this.#state = initialState(generation, performance.now());
  }

  /** Starts the workers; resolves with the exit code when the last one has gone. */
  run(): Promise<number> {
    this.handle({ type: "tick", beats: new Map() });
    return this.#ended.promise;
  }

  /** Queues an event and works the queue off. */
  handle(event: Event): void {
    if (this.#over) return;
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#absorb(next);
        this.#settle();
      }
    } finally {
      this.#busy = false;
    }
    this.#schedule();
  }

  #absorb(event: Event): void {
    const step = update(this.#state, event, performance.now());
    this.#state = step.state;
    for (const reaction of step.reactions) this.#react(reaction);
    if (event.type === "exited") this.#children.delete(event.age);
  }

  /** Carries out what plan() asks for until it has no more wishes. */
  #settle(): void {
    for (let rounds = 0; rounds < planLimit; rounds++) {
      const actions = plan(this.#state, performance.now());
      if (actions.length === 0) return;
      for (const action of actions) {
        const done = this.#perform(action);
        if (done === "ended") return;
        this.#absorb(done);
      }
    }
    throw new Error(`plan() did not come to rest: ${JSON.stringify(this.#state)}`);
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#over) return;
    const nowMs = performance.now();
    const waitMs = Math.min(tickMs, Math.ceil(nextDeadlineMs(this.#state, nowMs) - nowMs));
    this.#timer = setTimeout(() => this.handle({ type: "tick", beats: this.#beats() }), waitMs);
  }

  #beats(): ReadonlyMap<number, number> {
    return new Map([...this.#children].map(([age, child]) => [age, child.scores.beat]));
  }

  #react(reaction: Reaction): void {
    switch (reaction.do) {
      case "log":
        return this.#log[reaction.level](reaction.message);
      case "load config":
        void this.#load(reaction.generation);
        return;
      case "take back":
        // The addresses are all open still, so nothing is awaited.
        void this.#bind(this.#generations.get(reaction.generation));
        return this.#use(reaction.generation);
      case "hook onReload":
        return this.#guard(() => this.#parts.hooks.onReload());
      case "hook nworkersChanged":
        return this.#guard(() => this.#parts.hooks.nworkersChanged(reaction.value, reaction.old));
      case "hook childExit":
        return this.#guard(() => {
          const child = this.#children.get(reaction.age);
          if (child === undefined) return;
          const { slot, generation, process } = child;
          const { config } = this.#generations.get(generation);
          this.#parts.hooks.childExit(
            { age: reaction.age, slot, generation, pid: process.pid },
            config,
          );
        });
      default:
        return reaction satisfies never;
    }
  }

  /** A hook that throws stops the server, as in Gunicorn. */
  #guard(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.#log.critical(`Unhandled exception in main loop\n${describeError(error)}`);
      this.#queue.push({ type: "fault", message: "A server hook failed." });
    }
  }

  /** Imports the configuration and opens what it binds to; the answer is an event. */
  async #load(number: number): Promise<void> {
    const { listeners } = this.#parts;
    try {
      const resolved = await this.#parts.reload(number);
      checkReloadable(this.#generations.get(this.#state.wanted.number), resolved);
      const before = listeners.urls.join(",");
      await this.#bind(resolved);
      const rebound = before !== listeners.urls.join(",");
      this.#generations.add(number, resolved);
      this.#use(number);
      if (rebound) this.#log.info(`Listening at: ${listeners.urls.join(",")}`);
      this.handle({ type: "config loaded", generation: asGeneration(number, resolved), rebound });
    } catch (error) {
      const message = error instanceof Error ? error.message : describeError(error);
      this.handle({ type: "config failed", message });
    }
  }

  #bind(resolved: AppConfig): Promise<void> {
    const { listeners } = this.#parts;
    return listeners.open(resolved.config.bind.map(parseAddress), listeners.slots, {
      ...openOptions(resolved),
      onRetry: (level, message) => this.#log[level](message),
    });
  }

  /** Makes a generation's configuration the master's own: its log level, environment, directory and hooks. */
  #use(number: number): void {
    const { config } = this.#generations.get(number);
    this.#log = createLog(config.loglevel);
    this.#env = withRawEnv(this.#parts.env, config.rawEnv);
    adopt(this.#env);
    process.chdir(config.chdir);
    this.#parts.hooks.use(config, this.#log);
  }

  #perform(action: Action): Done | "ended" {
    const { listeners } = this.#parts;
    switch (action.do) {
      case "spawn":
        return this.#spawn(action);
      case "signal": {
        const { age, signal, because } = action;
        if (because !== null) this.#log[because.level](because.message + this.#whatIsCut(action));
        signalWorker(action.pid, signal);
        return { type: "signalled", age, signal };
      }
      case "open slot":
        listeners.addSlot();
        return { type: "slot opened" };
      case "close slot":
        listeners.removeTopSlot();
        return { type: "slot closed" };
      case "steer":
        listeners.steer(action.count);
        return { type: "steered", count: action.count };
      case "refuse new connections":
        listeners.refuseNew();
        return { type: "refusing" };
      case "close unused listeners":
        listeners.closeUnused();
        this.#generations.keep(
          new Set([
            this.#state.wanted.number,
            ...this.#state.workers.map((each) => each.generation),
          ]),
        );
        return { type: "listeners closed" };
      case "halt":
        this.#over = true;
        this.#halt(action.exitCode, action.reason);
        return "ended";
      default:
        return action satisfies never;
    }
  }

  /** Nothing is cut silently: a kill says how many requests it cost. */
  #whatIsCut({ age, signal }: { age: number; signal: WorkerSignal }): string {
    const inFlight = this.#children.get(age)?.scores.inFlight ?? 0;
    return signal === "SIGKILL" && inFlight > 0 ? `, ${inFlight} requests cut` : "";
  }

  #spawn(action: Extract<Action, { do: "spawn" }>): Done {
    const { age, slot, row, generation } = action;
    const { hooks, scoreboard, listeners } = this.#parts;
    const resolved = this.#generations.get(generation);
    this.#guard(() => hooks.preFork({ age, slot, generation, pid: "[booting]" }, resolved.config));
    try {
      scoreboard.clear(row);
      const child = spawnWorker(
        {
          age,
          slot,
          row,
          generation,
          numWorkers: this.#state.target,
          masterName: hooks.masterName,
          resolved,
          listeners: listeners.forSlot(slot, resolved.config.bind.map(parseAddress)),
          scoreboardFd: scoreboard.fd,
          env: this.#env,
        },
        {
          message: ({ type }) => this.handle({ type: "message", age, message: type }),
          exited: (code, signal) => this.handle({ type: "exited", age, code, signal }),
        },
      );
      this.#children.set(age, { process: child, scores: scoreboard.row(row), slot, generation });
      return { type: "spawned", age, pid: child.pid, slot, row, generation };
    } catch (error) {
      return { type: "spawn failed", slot, message: describeError(error) };
    }
  }

  #halt(exitCode: number, reason: string | null): void {
    this.#parts.listeners.close();
    const name = this.#parts.hooks.masterName;
    if (reason === null) {
      this.#log.info(`Shutting down: ${name}`);
    } else {
      this.#log.error(`Shutting down: ${name}`);
      this.#log.error(`Reason: ${reason}`);
    }
    this.#ended.resolve(exitCode);
  }
}
