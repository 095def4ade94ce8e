/** The worker processes by age, and what the master reads about them with each tick. */
import { readRow, type ScoreboardRow } from "../../ipc/scoreboard.ts";
import type { Log } from "../../log/error-log.ts";
import { reapStrays } from "../../os/processes/children.ts";
import { cpuSeconds } from "../../os/processes.ts";
import { residentBytes } from "../../os/processes/memory.ts";
import type { WorkerScores, WorkerSignal } from "../decide/events.ts";
import type { WorkerReading } from "../decide/status.ts";

/** How often the workers' memory is read, if it is bounded. */
const memorySampleMs = 1000;

export interface Born {
  readonly age: number;
  readonly slot: number;
  readonly generation: number;
  readonly pid: number;
}

export interface Child {
  readonly process: Bun.Subprocess;
  readonly scores: ScoreboardRow;
  readonly slot: number;
  readonly generation: number;
}

interface Known extends Child {
  /** As it was last seen. */
  cpuSeconds: number;
}

export class Children {
  readonly #byAge = new Map<number, Known>();
  #memoryReadMs = 0;
  #departedCpuSeconds = 0;

  add(age: number, child: Child): void {
    this.#byAge.set(age, { ...child, cpuSeconds: 0 });
  }

  get(age: number): Child | undefined {
    return this.#byAge.get(age);
  }

  /** As hooks see it; null when it has gone. */
  describe(age: number): Born | null {
    const child = this.#byAge.get(age);
    if (child === undefined) return null;
    const { slot, generation, process } = child;
    return { age, slot, generation, pid: process.pid };
  }

  /** Nothing is cut silently: what a kill costs, for the log. */
  cost(age: number, signal: WorkerSignal): string {
    const inFlight = this.#byAge.get(age)?.scores.inFlight ?? 0;
    return signal === "SIGKILL" && inFlight > 0 ? `, ${inFlight} requests cut` : "";
  }

  /** How many other workers want what this one publishes. */
  setAudience(age: number, count: number): void {
    const child = this.#byAge.get(age);
    if (child !== undefined) child.scores.audience = count;
  }

  remove(age: number): void {
    const child = this.#byAge.get(age);
    if (child === undefined) return;
    this.#byAge.delete(age);
    const { cpuTime } = child.process.resourceUsage() ?? {};
    const seconds = cpuTime === undefined ? 0 : Number(cpuTime.total) / 1e6;
    this.#departedCpuSeconds += Math.max(seconds, child.cpuSeconds);
  }

  /** The CPU time of all that live or have lived; it never goes back. */
  cpuSeconds(): number {
    return [...this.#byAge.values()].reduce((sum, child) => {
      // One that has gone, and whose exit is on the way as an event, has no figure any more.
      child.cpuSeconds = Math.max(child.cpuSeconds, cpuSeconds(child.process.pid) ?? 0);
      return sum + child.cpuSeconds;
    }, this.#departedCpuSeconds);
  }

  /** As the first process of a container: orphans become this process's children when they die. */
  reapStrays(newMaster: number | null, log: Log): void {
    const ours = new Set([...this.#byAge.values()].map((child) => child.process.pid));
    for (const pid of reapStrays((each) => ours.has(each) || each === newMaster)) {
      log.debug(`Reaped a stray child (pid:${pid})`);
    }
  }

  /** All that the scoreboard and the system say of those that live, by age. */
  readAll(): ReadonlyMap<number, WorkerReading> {
    const readings = new Map<number, WorkerReading>();
    for (const [age, { scores, process }] of this.#byAge)
      readings.set(age, { row: readRow(scores), memoryBytes: residentBytes(process.pid) });
    return readings;
  }

  /** `memory`: it is bounded, and read once a second. */
  read(memory: boolean, nowMs: number): ReadonlyMap<number, WorkerScores> {
    const sample = memory && nowMs - this.#memoryReadMs >= memorySampleMs;
    if (sample) this.#memoryReadMs = nowMs;
    const scores = new Map<number, WorkerScores>();
    for (const [age, child] of this.#byAge) {
      const { beat, requests } = child.scores;
      const memoryBytes = sample ? residentBytes(child.process.pid) : null;
      scores.set(age, { beat, requests, memoryBytes });
    }
    return scores;
  }
}
