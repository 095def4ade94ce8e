/** What is going on and how long is left, on stderr: one line redrawn on a terminal, lines elsewhere. */

/** Where nobody watches, a line at most so often. */
const linesEveryMs = 10_000;

export class Progress {
  readonly #totalMs: number;
  readonly #begunAtMs: number;
  #lineAtMs = Number.NEGATIVE_INFINITY;

  /** `totalSeconds` is how long all of it will take, as far as one can know. */
  constructor(totalSeconds: number, nowMs = performance.now()) {
    this.#totalMs = totalSeconds * 1000;
    this.#begunAtMs = nowMs;
  }

  show(what: string, nowMs = performance.now()): void {
    const text = `${what}, ${this.left(nowMs)}`;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${text}`);
      return;
    }
    if (nowMs - this.#lineAtMs < linesEveryMs) return;
    this.#lineAtMs = nowMs;
    process.stderr.write(`bench: ${text}\n`);
  }

  left(nowMs: number): string {
    const leftMs = this.#totalMs - (nowMs - this.#begunAtMs);
    if (leftMs <= 0) return "nearly done";
    const seconds = Math.ceil(leftMs / 1000);
    return seconds < 90 ? `${seconds} s left` : `${Math.ceil(seconds / 60)} min left`;
  }

  end(): void {
    wipeLine();
  }
}

/** Wipes the line of progress, if there is one, for what is printed next. */
export function wipeLine(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
}
