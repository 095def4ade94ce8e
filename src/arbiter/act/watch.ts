/** Watches what one worker is busy with, from outside: a worker whose event loop stands still says nothing any more. */
import type { Doing } from "../../ipc/describe-doing.ts";
import { readNewest } from "../../ipc/newest-request.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { readMainThread, type ThreadReading, waitsIn } from "../../os/processes/main-thread.ts";
import { activityOf, type Since } from "../decide/activity.ts";

/** Two heartbeats are missing: only then is it worth a look at what the process uses. */
const stillMs = 500;

export class Watch {
  readonly #pid: number;
  readonly #row: ScoreboardRow;
  #requests = 0;
  #newestAtMs = 0;
  #beat = 0;
  #beatAtMs = 0;
  /** As it was when the event loop had stood still for a moment; null while it turns. */
  #still: { readonly thread: ThreadReading; readonly atMs: number } | null = null;

  constructor(pid: number, row: ScoreboardRow) {
    this.#pid = pid;
    this.#row = row;
  }

  /** To be called with each tick. */
  observe(nowMs: number): void {
    const { beat, requests } = this.#row;
    if (requests !== this.#requests) {
      this.#requests = requests;
      this.#newestAtMs = nowMs;
    }
    if (beat !== this.#beat) {
      this.#beat = beat;
      this.#beatAtMs = nowMs;
      this.#still = null;
    } else if (this.#still === null && nowMs - this.#beatAtMs >= stillMs) {
      const thread = readMainThread(this.#pid);
      if (thread !== null) this.#still = { thread, atMs: nowMs };
    }
  }

  doing(nowMs: number): Doing {
    const { inFlight, requests } = this.#row;
    const thread = readMainThread(this.#pid);
    const activity = thread === null ? null : activityOf(thread.state, this.#since(thread, nowMs));
    return {
      inFlight,
      newest: readNewest(this.#row.newest),
      newestMs: requests === this.#requests ? nowMs - this.#newestAtMs : 0,
      activity,
      waitsIn: activity === "waiting" ? waitsIn(this.#pid) : null,
    };
  }

  #since({ busyMs, waits }: ThreadReading, nowMs: number): Since | null {
    const still = this.#still;
    if (still === null || busyMs === null || nowMs <= still.atMs) return null;
    const { thread } = still;
    return {
      share: (busyMs - (thread.busyMs ?? 0)) / (nowMs - still.atMs),
      waits: (waits ?? 0) - (thread.waits ?? 0),
    };
  }
}
