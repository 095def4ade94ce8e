/** slow_request_log: a warning for each request that took too long. One that never ends has none. */
import type { RequestObserver, RequestRecord } from "../api/request-record.ts";
import { escapeText } from "./lines/escape.ts";
import type { Log } from "./error-log.ts";
import { rawPath } from "./access/request-facts.ts";

export class SlowRequests implements RequestObserver {
  readonly #limitUs: number;
  readonly #log: Log;

  constructor(limitMs: number, log: Log) {
    this.#limitUs = limitMs * 1000;
    this.#log = log;
  }

  answered(request: RequestRecord): void {
    const { durationUs, method, status } = request;
    if (durationUs < this.#limitUs) return;
    const what = `${escapeText(method) || "-"} ${escapeText(rawPath(request)) || "-"}`;
    const milliseconds = Math.round(durationUs / 1000);
    this.#log.warning(
      `Slow request ${what} ${milliseconds} ms status ${status} pid ${process.pid}`,
    );
  }
}
