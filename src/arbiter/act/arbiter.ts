/**
 * The arbiter: one queue of events, one loop. update() says what an event means, plan() what to do
 * next, and what #perform calls is the only code that spawns, signals or closes. Nothing here awaits:
 * what takes time is started, and comes back as an event.
 */
import { workerClassOf } from "../../config/worker-classes.ts";
import { exitCodes } from "../../ipc/exit-codes.ts";
import type { Scoreboard } from "../../ipc/scoreboard.ts";
import { asError, describeError, type Log } from "../../log/error-log.ts";
import type { ControlHost } from "../control/control-room.ts";
import type { Action, Done, Event } from "../decide/events.ts";
import { nextDeadlineMs, plan } from "../decide/plan.ts";
import { generationsInUse, initialState, sharing, type State } from "../decide/state.ts";
import { progressOf, type Status, status } from "../decide/status.ts";
import { update } from "../decide/update/update.ts";
import { Apps } from "./apps/apps.ts";
import { Balancer } from "./balancer.ts";
import { CertificateCare } from "./certificate-care.ts";
import type { EarlyWorker } from "./birth/early-worker.ts";
import { Children } from "./children.ts";
import { Companions } from "./companions.ts";
import { type ConfigurationParts, Configurations } from "./configuration/configurations.ts";
import { asGeneration } from "./configuration/generation.ts";
import { Metrics } from "./metrics.ts";
import type { Release } from "./configuration/releases.ts";
import type { ServiceManager } from "./master/service-manager.ts";
import { react, type ReactionParts } from "./react.ts";
import { performOnSockets } from "./socket-actions.ts";
import { performOnWorkers, type WorkerActionParts } from "./worker-actions.ts";
import type { UpgradeParts } from "./master/upgrade.ts";

/** How often the scoreboard is read: fine enough to meet `timeout` within a second. */
const tickMs = 250;

/** plan() must come to rest; a state that never does is a bug that would otherwise spin. */
const planLimit = 10_000;

export interface ArbiterParts extends ConfigurationParts, Pick<UpgradeParts, "succession"> {
  readonly scoreboard: Scoreboard;
  /** The pid of the old master whose sockets this one has adopted. */
  readonly oldMaster: number | null;
  /** How many workers that one's load had asked for. */
  readonly autoscaled: number | null;
  /** A terminal is attached. */
  readonly onTerminal: boolean;
  readonly early: EarlyWorker | null;
  /** Null if nobody wants to hear of this server: most have none, and needn't import it (bench: start). */
  readonly Service: typeof ServiceManager | null;
}

export class Arbiter {
  readonly #parts: ArbiterParts;
  readonly #configurations: Configurations;
  readonly #metrics: Metrics;
  readonly #service: ServiceManager | null;
  readonly #children = new Children();
  readonly #apps: Apps;
  readonly #balancer: Balancer;
  readonly #companions: Companions;
  readonly #certificates: CertificateCare;
  readonly #hands: ReactionParts & WorkerActionParts;
  readonly #queue: Event[] = [];
  readonly #ended = Promise.withResolvers<number>();
  #state: State;
  #busy = false;
  #over = false;
  #failed = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: ArbiterParts) {
    const { env } = parts.origin;
    this.#parts = parts;
    this.#configurations = new Configurations(parts, this.#controlHost());
    this.#metrics = new Metrics(parts.listeners);
    this.#apps = new Apps({
      log: (level, message) => this.log[level](message),
      process: (age) => this.#children.get(age)?.process,
      setAudience: (age, count) => this.#children.setAudience(age, count),
    });
    this.#balancer = new Balancer({
      listeners: parts.listeners,
      scoresOf: (age) => this.#children.get(age)?.scores,
      mostConnections: (age) => this.#children.get(age)?.mostConnections ?? Infinity,
      refused: (refused) => this.handle({ type: "unbalanced", refused }),
    });
    this.#certificates = new CertificateCare({
      env,
      configurations: this.#configurations,
      children: this.#children,
      log: (level, message) => this.log[level](message),
      renewed: (generation) => this.handle({ type: "credentials renewed", generation }),
    });
    this.#companions = new Companions({
      host: this.#controlHost(),
      progress: () => progressOf(this.#state),
      status: (busy) => this.status(busy),
      counts: () => this.#parts.succession.join(),
      release: () => this.#release,
      apps: this.#apps,
      listeners: parts.listeners,
    });
    const { Service } = parts;
    const warn = (message: string) => this.log.warning(message);
    this.#service = Service === null ? null : new Service({ env, warn });
    this.#hands = {
      ...parts,
      configurations: this.#configurations,
      certificates: this.#certificates,
      companions: this.#companions,
      children: this.#children,
      apps: this.#apps,
      service: this.#service,
      log: () => this.log,
      handle: (event) => this.handle(event),
      guard: (hook) => this.#guard(hook),
    };
    parts.succession.count(() => this.#state.fleet, parts.scoreboard, this.#children);
    this.#state = initialState(asGeneration(1, parts.resolved), performance.now(), {
      slots: parts.listeners.slots,
      understudy: parts.oldMaster !== null,
      autoscaled: parts.autoscaled,
      onTerminal: parts.onTerminal,
    });
  }

  /** The log of the configuration in use. */
  get log(): Log {
    return this.#release.logs.log;
  }

  /** The configuration in use, with its logs. */
  get #release(): Release {
    return this.#configurations.get(this.#state.fleet.wanted.number);
  }

  /** Starts the workers; resolves with the exit code when the last one has gone. */
  run(): Promise<number> {
    this.#configurations.attachControl();
    this.#certificates.use(this.#state.fleet.wanted.number);
    this.#companions.use(this.#release);
    this.handle({ type: "tick", scores: new Map() });
    return this.#ended.promise;
  }

  /** The server as it is now. `busy`: with what workers are busy with. */
  status(busy = true): Status {
    const scores = { workers: this.#children.readAll(busy), totals: this.#parts.scoreboard.totals };
    return status(this.#state, scores, performance.now());
  }

  /** Queues an event and works the queue off. */
  handle(event: Event): void {
    if (this.#over) return;
    this.#queue.push(event);
    if (this.#busy) return;
    // Before anything else: whoever stops as an understudy leaves sockets and files to a master that is there.
    if (this.#isOrphaned()) this.#queue.unshift({ type: "promoted" });
    this.#busy = true;
    try {
      this.#work();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
    }
    this.#configurations.keep(generationsInUse(this.#state.fleet));
    this.#metrics.observe(this.#release, this.#state.fleet.workers.length, performance.now());
    if (!this.#over) this.#balancer.observe(this.#state);
    this.#parts.succession.observe(sharing(this.#state.mastership));
    this.#companions.observe(this.#state);
    if (!this.#over) this.#service?.observe(this.#state, performance.now());
    this.#schedule();
  }

  #work(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#absorb(next);
      this.#settle();
    }
  }

  /** A bug of ours, or of a hook: an orderly stop, once; a stop that fails too ends the process. */
  #fail(error: unknown): void {
    this.log.critical(`Unhandled exception in main loop\n${describeError(error)}`);
    if (this.#failed) process.exit(exitCodes.internal);
    this.#failed = true;
    this.#queue.push({ type: "fault", message: "The arbiter failed." });
    this.#work();
  }

  #absorb(event: Event): void {
    const step = update(this.#state, event, performance.now());
    this.#state = step.state;
    for (const reaction of step.reactions) react(reaction, this.#hands, this.#state.fleet);
    if (event.type !== "exited") return;
    this.#children.remove(event.age);
    this.#apps.remove(event.age);
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
    const nextMs = Math.min(
      nextDeadlineMs(this.#state, nowMs),
      this.#service?.nextDeadlineMs() ?? Infinity,
    );
    const waitMs = Math.max(0, Math.min(tickMs, Math.ceil(nextMs - nowMs)));
    this.#timer = setTimeout(() => this.#tick(), waitMs);
  }

  /** The old master has gone. */
  #isOrphaned(): boolean {
    return this.#state.mastership.understudy && process.ppid !== this.#parts.oldMaster;
  }

  #tick(): void {
    const { fleet, mastership } = this.#state;
    if (process.pid === 1) this.#children.reapStrays(mastership.upgrade?.pid ?? null, this.log);
    const memory = Number.isFinite(fleet.wanted.maxMemoryBytes);
    this.handle({ type: "tick", scores: this.#children.read(memory, performance.now()) });
  }

  /** A hook that throws stops the server, as in Gunicorn. */
  #guard(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.log.critical(`Unhandled exception in main loop\n${describeError(error)}`);
      this.handle({ type: "fault", message: "A server hook failed." });
    }
  }

  /** What fails is an event as well: plan() goes on without, or asks again later. */
  #perform(action: Action): Done | "ended" {
    try {
      return this.#attempt(action);
    } catch (error) {
      if (action.do === "halt") throw error;
      return { type: "action failed", action, error: asError(error) };
    }
  }

  #attempt(action: Action): Done | "ended" {
    switch (action.do) {
      case "spawn":
      case "signal":
      case "wind down":
      case "send credentials":
        return performOnWorkers(action, this.#hands, this.#state.fleet.target);
      case "halt":
        this.#over = true;
        this.#halt(action);
        return "ended";
      default:
        return performOnSockets(action, this.#parts.listeners, {
          shared: sharing(this.#state.mastership),
          freesAccepted: workerClassOf(this.#release.resolved.config.workerClass).freesAccepted,
        });
    }
  }

  #controlHost(): ControlHost {
    return {
      second: () => this.#state.mastership.understudy,
      log: (level, message) => this.log[level](message),
      handle: (event) => this.handle(event),
      facts: () => ({
        pid: process.pid,
        status: this.status(),
        config: this.#release.resolved.config,
        listeners: this.#parts.listeners.facts,
        waiting: () => this.#parts.listeners.waiting(),
        setsLogLevel: this.#release.logs.setLevel !== null,
      }),
    };
  }

  #halt({ exitCode, reason, left }: Extract<Action, { do: "halt" }>): void {
    const { hooks, listeners } = this.#parts;
    try {
      this.#service?.halt(this.#state.mastership);
      this.#configurations.close();
      this.#companions.close();
      listeners.close(sharing(this.#state.mastership));
    } finally {
      // Whatever can't be closed is closed by the end of the process.
      this.#ended.resolve(exitCode);
    }
    for (const pid of left)
      this.log.error(`Worker (pid:${pid}) can't be ended, and is left behind`);
    const end = `Shutting down: ${hooks.masterName}`;
    if (reason === null) this.log.info(end);
    else for (const line of [end, `Reason: ${reason}`]) this.log.error(line);
  }
}
