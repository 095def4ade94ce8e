/**
 * Sends spans to a collector by OTLP over HTTP. Nobody waits for it: so many spans wait, those that come when the queue is full
 * are dropped, and all that are dropped are counted.
 */
import type { Log } from "../../api/log.ts";
import { requestFrame } from "./otlp.ts";
import { SpanBatch } from "./span-batch.ts";
import type { TraceSettings } from "./environment.ts";

/** How long after a failure the same is sent again, and how often. */
const firstPauseMs = 1000;
const mostTries = 5;
/** What the collector's answer asks to be sent again (OTLP specification, failures). */
const retried: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const longestRetryAfter = 30;

export interface ExporterParts {
  readonly settings: Pick<TraceSettings, "url" | "headers" | "resource" | "limits">;
  readonly version: string;
  readonly log: Log;
  /** So many were dropped. */
  readonly onDropped: (count: number) => void;
}

/** The one that the process begins with: an app may replace the global. */
const ownFetch = fetch;

type Sent = { readonly again: false } | { readonly again: true; readonly pauseMs: number };

export class Exporter {
  readonly #parts: ExporterParts;
  readonly #frame: ReturnType<typeof requestFrame>;
  /** The last one is added to. */
  #waiting: SpanBatch[] = [];
  #waitingCount = 0;
  #timer: Timer | null = null;
  #sending: Promise<void> | null = null;
  #failing = false;
  #dropped = 0;
  /** Nobody waits for another try. */
  #ends = false;

  constructor(parts: ExporterParts) {
    this.#parts = parts;
    this.#frame = requestFrame(parts.settings.resource, parts.version);
  }

  /** Whether another one is dropped: nobody need make it then. */
  get full(): boolean {
    return this.#waitingCount >= this.#parts.settings.limits.queueSize;
  }

  add(span: string): void {
    if (this.full) return this.drop(1);
    const { delayMs, batchSize } = this.#parts.settings.limits;
    this.#openBatch(batchSize).add(span);
    this.#waitingCount += 1;
    if (this.#sending !== null) return;
    if (this.#waitingCount >= batchSize) this.#send();
    else if (this.#timer === null) {
      this.#timer = setTimeout(() => this.#send(), delayMs);
      this.#timer.unref();
    }
  }

  #openBatch(batchSize: number): SpanBatch {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.count < batchSize) return last;
    const { opening, closing } = this.#frame;
    const next = new SpanBatch(opening, closing);
    this.#waiting.push(next);
    return next;
  }

  /** Sends what waits, once, for so long at most: the worker leaves. What is left then is dropped. */
  async end(limitMs: number): Promise<void> {
    this.#ends = true;
    if (this.#sending === null) this.#send();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(0, limitMs));
    while (this.#sending !== null) {
      const isOver = await Promise.race([
        this.#sending.then(() => false),
        promise.then(() => true),
      ]);
      if (isOver) break;
    }
    clearTimeout(timer);
    this.drop(this.#waitingCount);
    this.#waiting = [];
    this.#waitingCount = 0;
    if (this.#dropped > 0) this.#parts.log.warning(`Traces: ${this.#dropped} spans were dropped`);
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#waiting.shift();
    if (batch === undefined) return;
    this.#waitingCount -= batch.count;
    this.#sending = this.#deliver(batch.takeBody(), batch.count).then(() => {
      this.#sending = null;
      if (this.#waiting.length > 0) this.#send();
    });
  }

  async #deliver(body: Uint8Array<ArrayBuffer>, count: number): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const sent = await this.#post(body, count, firstPauseMs * 2 ** (tries - 1));
      if (!sent.again) return;
      if (tries === mostTries || this.#ends) return this.drop(count);
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, sent.pauseMs).unref();
      await promise;
    }
  }

  async #post(body: Uint8Array<ArrayBuffer>, count: number, pauseMs: number): Promise<Sent> {
    const { url, headers, limits } = this.#parts.settings;
    try {
      const answer = await ownFetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body,
        redirect: "error",
        signal: AbortSignal.timeout(limits.timeoutMs),
      });
      const text = await answer.text();
      if (answer.ok) {
        this.#succeeded(rejectedIn(text));
        return { again: false };
      }
      this.#failed(`it answers ${answer.status}`);
      if (!retried.has(answer.status)) {
        this.drop(count);
        return { again: false };
      }
      const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
      const asked = seconds >= 0 ? Math.min(seconds, longestRetryAfter) * 1000 : pauseMs;
      return { again: true, pauseMs: asked };
    } catch (error) {
      this.#failed((error as Error).message);
      return { again: true, pauseMs };
    }
  }

  /** So many come to nothing. */
  drop(count: number): void {
    if (count === 0) return;
    this.#dropped += count;
    this.#parts.onDropped(count);
  }

  /** @param rejected of the spans that were sent */
  #succeeded(rejected: number): void {
    this.drop(rejected);
    if (!this.#failing) return;
    this.#failing = false;
    const dropped = this.#dropped === 0 ? "" : `, ${this.#dropped} spans were dropped`;
    this.#dropped = 0;
    this.#parts.log.info(`Traces: ${this.#parts.settings.url} takes spans again${dropped}`);
  }

  #failed(why: string): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#parts.log.warning(`Traces: can't send spans to ${this.#parts.settings.url}: ${why}`);
  }
}

/** ExportTracePartialSuccess.rejected_spans, an int64 and so perhaps a text. */
function rejectedIn(text: string): number {
  try {
    const answer = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown } } | null;
    const count = Number(answer?.partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    // Whatever it says, it has taken them.
    return 0;
  }
}
