/** The access log: a line for each answered request, to each of its destinations. */
import type { RequestObserver, RequestRecord } from "../../api/request-record.ts";
import type { LogHandler } from "../sinks/log-handler.ts";

export class AccessLog implements RequestObserver {
  readonly #format: (request: RequestRecord) => string;
  readonly #handlers: readonly LogHandler[];

  constructor(format: (request: RequestRecord) => string, handlers: readonly LogHandler[]) {
    this.#format = format;
    this.#handlers = handlers;
  }

  answered(request: RequestRecord): void {
    const line = this.#format(request);
    for (const handler of this.#handlers) handler.emit("info", line);
  }
}
