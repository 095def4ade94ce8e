/**
 * What the service manager (systemd) hears of the server: sd_notify(3). Everything is derived from the
 * arbiter's state, so that no call can be forgotten; what could not be sent is tried again with the next event.
 *
 * Of two masters in an upgrade only the main process, as the service manager knows it, may speak: the old
 * one until its end, which names the new one as its last word.
 */
import { monotonicUsec, sendNotification } from "../../../os/processes/notify.ts";
import {
  describeProgress,
  type MastershipFacts,
  type Progress,
  type ProgressFacts,
  progressOf,
} from "../../decide/status.ts";
import type { Environment } from "./environment.ts";

export interface ServiceManagerParts {
  /** The environment that the master was started with. */
  readonly env: Environment;
  readonly pid?: number;
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
    const { env, pid = process.pid, send = sendNotification } = parts;
    this.#parts = parts;
    this.#send = send;
    this.#address = env["NOTIFY_SOCKET"] || null;
    this.#watchdogMs = watchdogMs(env, pid);
  }

  /** Tells what has changed, and beats. Called after each event, ticks included. */
  observe(state: ProgressFacts, nowMs: number): void {
    if (this.#address === null || state.mastership.understudy) return;
    this.#beat(nowMs);
    const now = progressOf(state);
    const phase = servicePhase(now);
    const line = describeProgress(now);
    // Each load is a reload of its own: the service manager wants its time to be after its own HUP.
    const announced = phase === "reloading" ? `reloading ${now.loads}` : phase;
    if (announced === this.#announced && line === this.#status) return;
    const lines = announced === this.#announced ? [] : announcement(phase);
    if (!this.#tell([...lines, `STATUS=${line}`])) return;
    this.#announced = announced;
    this.#status = line;
  }

  /** The last word, right before the master's end. */
  halt({ upgrade, understudy }: Pick<MastershipFacts, "upgrade" | "understudy">): void {
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

/** To the service manager a stop beside a new master is none: that one is about to be the main process. */
export function servicePhase({ phase, newMaster }: Progress): Progress["phase"] {
  return phase === "stopping" && newMaster !== null ? "ready" : phase;
}

function announcement(phase: Progress["phase"]): string[] {
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
