/** What takes the lines of a handler, and how a handler passes them on: one by one, or in batches. */
import type { LineFormat, LogLevel } from "../lines/line-format.ts";
import type { LogHandler } from "./log-handler.ts";

/** Invariant: lines stay whole, and none of it throws for what the system refuses, but for reopen(). */
export interface LineSink {
  /** Takes whole lines. */
  write(text: string): void;
  /** Tries again what waits. */
  flush(): void;
  reopen(): void;
  close(): void;
}

/** The handler of an error log: each message is written at once, so that a crash loses none. */
export class DirectHandler implements LogHandler {
  readonly #sink: LineSink;
  readonly #format: LineFormat;

  constructor(sink: LineSink, format: LineFormat) {
    this.#sink = sink;
    this.#format = format;
  }

  emit(level: LogLevel, message: string): void {
    this.#sink.write(this.#format(level, message));
  }

  flush(): void {
    this.#sink.flush();
  }

  reopen(): void {
    this.#sink.reopen();
  }

  close(): void {
    this.#sink.close();
  }
}

/** How many characters that wait are written at once. */
const batchLength = 64 * 1024;
/** How long a line waits for others. */
const batchMs = 200;

/** The handler of an access log: lines are gathered, so that one write serves many requests (bench: access-log). */
export class BatchHandler implements LogHandler {
  readonly #sink: LineSink;
  /** Null for the bare message. */
  readonly #format: LineFormat | null;
  #waiting = "";
  #timer: Timer | null = null;
  readonly #onTimer = () => {
    this.#timer = null;
    this.#write();
  };

  constructor(sink: LineSink, format: LineFormat | null) {
    this.#sink = sink;
    this.#format = format;
  }

  emit(level: LogLevel, message: string): void {
    this.#waiting += this.#format === null ? `${message}\n` : this.#format(level, message);
    if (this.#waiting.length >= batchLength) this.#write();
    else if (this.#timer === null) {
      this.#timer = setTimeout(this.#onTimer, batchMs);
      this.#timer.unref();
    }
  }

  flush(): void {
    this.#write();
    this.#sink.flush();
  }

  /** What waits goes to the old file. */
  reopen(): void {
    this.#write();
    this.#sink.reopen();
  }

  close(): void {
    this.#write();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#sink.close();
  }

  #write(): void {
    if (this.#waiting === "") return;
    const text = this.#waiting;
    this.#waiting = "";
    this.#sink.write(text);
  }
}
