/** Counts answered requests in the worker's row of the scoreboard, for whoever asks the master for metrics. */
import type { RequestObserver, RequestRecord } from "../../api/request-record.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { answerClasses, durationBounds, durationSumUs } from "../../ipc/scoreboard-columns.ts";
import { noAnswer } from "./recorded.ts";

const boundsUs = durationBounds.map((seconds) => seconds * 1e6);

export class Tally implements RequestObserver {
  readonly #answers: Float64Array;
  readonly #durations: Float64Array;

  constructor(row: ScoreboardRow) {
    this.#answers = row.answers;
    this.#durations = row.durations;
  }

  answered({ status, durationUs }: RequestRecord): void {
    add(this.#answers, classOf(status), 1);
    add(this.#durations, bucketOf(durationUs), 1);
    add(this.#durations, durationSumUs, durationUs);
  }
}

function add(cells: Float64Array, index: number, more: number): void {
  cells[index] = (cells[index] as number) + more;
}

/** The index in answerClasses. What an app makes up beyond 599 is an error of the server's (RFC 9110 §15). */
function classOf(status: number): number {
  if (status === noAnswer) return 0;
  return Math.min(Math.trunc(status / 100), answerClasses.length - 1);
}

/** The index in durationBounds: of the first bound that isn't below the duration. */
function bucketOf(durationUs: number): number {
  let index = 0;
  while (index < boundsUs.length && durationUs > (boundsUs[index] as number)) index += 1;
  return index;
}
