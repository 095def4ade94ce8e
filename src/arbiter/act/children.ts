/** The worker processes by age, and what the master reads about them with each tick. */
import { describeBusy, describeDoing } from "../../ipc/describe-doing.ts";
import { readRow, type ScoreboardRow } from "../../ipc/scoreboard.ts";
import type { Log } from "../../log/error-log.ts";
import { reapStrays } from "../../os/processes/children.ts";
import { cpuSeconds } from "../../os/processes.ts";
import { residentBytes } from "../../os/processes/memory.ts";
import type { Counts } from "../decide/counts.ts";
import type { Event, WorkerScores, WorkerSignal } from "../decide/events.ts";
import type { WorkerReading } from "../decide/status.ts";
import { whereIsReport } from "./crash-report.ts";
import { Watch } from "./watch.ts";

/** How often the workers' memory is read, if it is bounded. */
const memorySampleMs = 1000;

type Exit = Extract<Event, { type: "exited" }>;

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
  /** How many connections it serves at a time; Infinity where nothing bounds them. */
  readonly mostConnections: number;
}

interface Known extends Child {
  /** As it was last seen. */
  cpuSeconds: number;
  readonly watch: Watch;
}

export class Children {
  readonly #byAge = new Map<number, Known>();
  #memoryReadMs = 0;
  #departedCpuSeconds = 0;

  add(age: number, child: Child): void {
    const watch = new Watch(child.process.pid, child.scores);
    this.#byAge.set(age, { ...child, cpuSeconds: 0, watch });
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

  /** Nothing is cut silently: what a worker is busy with that is ended, to stand behind the reason in the log. */
  cut(age: number, signal: WorkerSignal): string {
    const child = this.#byAge.get(age);
    if (child === undefined || (signal !== "SIGKILL" && signal !== "SIGABRT")) return "";
    return `: ${describeDoing(child.watch.doing(performance.now()))}`;
  }

  /**
   * One that has ended, with what there is to say about it: the requests that ended with it, and where Bun's report of
   * a crash is.
   */
  exit(age: number, code: number | null, signal: string | null): Exit {
    const doing = this.#byAge.get(age)?.watch.doing(performance.now());
    const had = doing === undefined || doing.inFlight === 0 ? "" : `It had ${describeBusy(doing)}`;
    const about = [had, whereIsReport(signal)].filter((text) => text !== "").join(". ");
    return { type: "exited", age, code, signal, ...(about === "" ? {} : { about }) };
  }

  /** How many other workers want what this one publishes. */
  setAudience(age: number, count: number): void {
    const child = this.#byAge.get(age);
    if (child !== undefined) child.scores.audience = count;
  }

  remove(age: number): void {
    const child = this.#byAge.get(age);
    if (child === undefined) return;
    child.scores.takes = 0;
    this.#byAge.delete(age);
    const { cpuTime } = child.process.resourceUsage() ?? {};
    const seconds = cpuTime === undefined ? 0 : Number(cpuTime.total) / 1e6;
    this.#departedCpuSeconds += Math.max(seconds, child.cpuSeconds);
  }

  /** The CPU time of all that live or have lived, which never goes back, and of the master. */
  cpuTimes(): Pick<Counts, "workersCpuSeconds" | "masterCpuSeconds"> {
    const { user, system } = process.cpuUsage();
    return { workersCpuSeconds: this.#cpuSeconds(), masterCpuSeconds: (user + system) / 1e6 };
  }

  #cpuSeconds(): number {
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

  /**
   * All that the scoreboard and the system say of those that live, by age.
   * @param busy whether anybody wants to know what they are busy with, which takes most of the time
   */
  readAll(busy: boolean): ReadonlyMap<number, WorkerReading> {
    const readings = new Map<number, WorkerReading>();
    for (const [age, { scores, process, watch }] of this.#byAge) {
      const memoryBytes = residentBytes(process.pid);
      readings.set(age, {
        row: readRow(scores),
        memoryBytes,
        doing: busy ? watch.doing(performance.now()) : null,
      });
    }
    return readings;
  }

  /** `memory`: it is bounded, and read once a second. */
  read(memory: boolean, nowMs: number): ReadonlyMap<number, WorkerScores> {
    const sample = memory && nowMs - this.#memoryReadMs >= memorySampleMs;
    if (sample) this.#memoryReadMs = nowMs;
    const scores = new Map<number, WorkerScores>();
    for (const [age, child] of this.#byAge) {
      const { beat, requests } = child.scores;
      child.watch.observe(nowMs);
      const memoryBytes = sample ? residentBytes(child.process.pid) : null;
      scores.set(age, { beat, requests, memoryBytes });
    }
    return scores;
  }
}
