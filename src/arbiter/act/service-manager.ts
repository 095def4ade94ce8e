/**
 * What the service manager (systemd) hears of the server: sd_notify(3). Everything is derived from the
 * arbiter's state, so that no call can be forgotten; what could not be sent is tried again with the next event.
 *
 * Of two masters in an upgrade only the main process, as the service manager knows it, may speak: the old
 * one until its end, which names the new one as its last word.
 */
import { monotonicUsec, sendNotification } from "../../os/notify.ts";
import type { Environment } from "./environment.ts";
import type { State } from "../decide/state.ts";

export type ServiceFacts = Pick<
  State,
  | "target"
  | "wanted"
  | "fallback"
  | "proven"
  | "lastGeneration"
  | "loading"
  | "resting"
  | "stopping"
  | "upgrade"
  | "understudy"
> & {
  readonly workers: readonly Pick<State["workers"][number], "slot" | "phase" | "generation">[];
};

export interface ServiceDescription {
  readonly phase: "starting" | "ready" | "reloading" | "stopping";
  /** One line for `systemctl status`. */
  readonly status: string;
}

/** What a state means to somebody who watches the service as a whole. */
export function describeService(state: ServiceFacts): ServiceDescription {
  const { target, wanted, workers, upgrade } = state;
  if (state.stopping !== null) {
    const left = `workers left: ${workers.length}`;
    if (upgrade === null) return { phase: "stopping", status: `Stopping, ${left}` };
    // To the service manager this is no stop: the new master is about to be the main process.
    return { phase: "ready", status: `New master (pid:${upgrade.pid}) takes over, ${left}` };
  }
  const ready = workers.filter((worker) => worker.phase === "ready");
  const current = ready.filter((worker) => worker.generation === wanted.number);
  const serving = `${countSlots(ready, target)} of ${target} workers ready`;
  if (!state.proven && state.fallback === null) {
    return { phase: "starting", status: `Starting: ${serving}` };
  }
  if (state.loading) {
    return { phase: "reloading", status: "Reloading: reading the configuration" };
  }
  if (!state.proven) {
    return { phase: "reloading", status: "Reloading: trying a worker of the new configuration" };
  }
  if (current.length < ready.length) {
    const replaced = `${countSlots(current, target)} of ${target} workers replaced`;
    return { phase: "reloading", status: `Reloading: ${replaced}` };
  }
  const notes = [
    state.resting ? "Resting: no workers until HUP or TTIN" : serving,
    ...(wanted.number < state.lastGeneration ? ["the last reload failed, see the log"] : []),
    ...(upgrade === null ? [] : [`new master (pid:${upgrade.pid}) beside this one`]),
  ];
  return { phase: "ready", status: notes.join("; ") };
}

function countSlots(workers: ServiceFacts["workers"], target: number): number {
  return new Set(workers.map(({ slot }) => slot).filter((slot) => slot < target)).size;
}

const variables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/** The environment for workers, hooks and apps: the service manager is no business of theirs. */
export function withoutServiceManager(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !variables.some((each) => each === name)),
  );
}

export interface ServiceManagerParts {
  /** The environment that the master was started with. */
  readonly env: Environment;
  readonly pid: number;
  /** Hears of the first of several failures to send. */
  readonly warn: (message: string) => void;
  /** Answers null, or why the message couldn't be sent. */
  readonly send?: (address: string, text: string) => string | null;
}

export class ServiceManager {
  readonly #address: string | null;
  readonly #watchdogMs: number | null;
  readonly #parts: ServiceManagerParts;
  readonly #send: NonNullable<ServiceManagerParts["send"]>;
  #announced = "starting";
  #status = "";
  #beatAtMs: number | null = null;
  #failing = false;

  constructor(parts: ServiceManagerParts) {
    const { env, pid, send = sendNotification } = parts;
    this.#parts = parts;
    this.#send = send;
    this.#address = env["NOTIFY_SOCKET"] || null;
    this.#watchdogMs = watchdogMs(env, pid);
  }

  /** Tells what has changed, and beats. Called after each event, ticks included. */
  observe(state: ServiceFacts, nowMs: number): void {
    if (this.#address === null || state.understudy) return;
    this.#beat(nowMs);
    const { phase, status } = describeService(state);
    // Each load is a reload of its own: the service manager wants its time to be after its own HUP.
    const announced = phase === "reloading" ? `reloading ${state.lastGeneration}` : phase;
    if (announced === this.#announced && status === this.#status) return;
    const lines = announced === this.#announced ? [] : announcement(phase);
    if (!this.#tell([...lines, `STATUS=${status}`])) return;
    this.#announced = announced;
    this.#status = status;
  }

  /** The last word, right before the master's end. */
  halt({ upgrade, understudy }: Pick<ServiceFacts, "upgrade" | "understudy">): void {
    if (this.#address === null || understudy) return;
    if (upgrade !== null) {
      this.#tell([`MAINPID=${upgrade.pid}`, `STATUS=New master (pid:${upgrade.pid}) took over`]);
    } else if (this.#announced !== "stopping") {
      this.#tell(["STOPPING=1", "STATUS=Stopping"]);
    }
  }

  /** When observe() has to be called at the latest. */
  nextDeadlineMs(): number {
    if (this.#beatAtMs === null || this.#watchdogMs === null) return Number.POSITIVE_INFINITY;
    return this.#beatAtMs + this.#watchdogMs / 2;
  }

  /** What the new master of an upgrade needs to speak in its turn: without WATCHDOG_PID, which is this one's. */
  successorEnv(): Environment {
    const { env } = this.#parts;
    return {
      ...(this.#address === null ? {} : { NOTIFY_SOCKET: this.#address }),
      ...(this.#watchdogMs === null ? {} : { WATCHDOG_USEC: env["WATCHDOG_USEC"] }),
    };
  }

  #beat(nowMs: number): void {
    if (this.#watchdogMs === null) return;
    if (this.#beatAtMs !== null && nowMs < this.nextDeadlineMs()) return;
    this.#beatAtMs = nowMs;
    this.#tell(["WATCHDOG=1"]);
  }

  #tell(lines: readonly string[]): boolean {
    if (this.#address === null) return false;
    const failure = this.#send(this.#address, lines.map((line) => `${line}\n`).join(""));
    if (failure !== null && !this.#failing) {
      this.#parts.warn(`NOTIFY_SOCKET: can't send to ${this.#address}: ${failure}`);
    }
    this.#failing = failure !== null;
    return !this.#failing;
  }
}

function announcement(phase: ServiceDescription["phase"]): string[] {
  switch (phase) {
    case "starting":
      return [];
    case "ready":
      return ["READY=1"];
    case "reloading":
      return ["RELOADING=1", `MONOTONIC_USEC=${monotonicUsec()}`];
    case "stopping":
      return ["STOPPING=1"];
    default:
      return phase satisfies never;
  }
}

/** systemd may set WATCHDOG_PID to say whom it means. */
function watchdogMs(env: Environment, pid: number): number | null {
  const { WATCHDOG_USEC: usec = "", WATCHDOG_PID: whom = "" } = env;
  if (!/^[1-9]\d*$/.test(usec) || (whom !== "" && whom !== String(pid))) return null;
  return Number(usec) / 1000;
}
