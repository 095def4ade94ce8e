/**
 * One request through hooks and app: preRequest, fetch, the app's error handler, postRequest. Shared by all worker
 * kinds.
 */
import type { App } from "../../app/load.ts";
import type { HookEnviron, HookRequest, HookWorker, ServerHooks } from "../../api/hooks.ts";
import type { RequestFacts } from "../../api/request-record.ts";
import type { RequestHandler } from "../../api/serving.ts";
import { Head } from "../../http/syntax/head.ts";
import {
  closeLine,
  lineStart,
  longestLine,
  openLine,
  reopenLine,
  writeLine,
} from "../../ipc/newest-request.ts";
import type { Trace } from "../../api/trace.ts";
import { traceOfRequest } from "../records/traces.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { describeError, type Log } from "../../log/error-log.ts";
import { textOf } from "../../log/lines/describe-error.ts";
import type { Enricher } from "./enrich-response.ts";

export type RequestHooks = Partial<Pick<ServerHooks, "preRequest" | "postRequest">>;

const noEnviron: HookEnviron = Object.freeze({});

export class Handler implements RequestHandler {
  readonly #app: App;
  readonly #worker: HookWorker;
  readonly #preRequest: ServerHooks["preRequest"] | null;
  readonly #postRequest: ServerHooks["postRequest"] | null;
  readonly #log: Log;
  readonly #debug: boolean;
  readonly #scores: ScoreboardRow;
  /** The column of the newest request, asked with each (bench: hello). */
  readonly #line: Buffer;
  readonly #longestLine: number;
  readonly #limit: number;
  readonly #onTired: () => void;
  readonly #enricher: Enricher | null;
  #requests = 0;
  #inFlight = 0;
  /** Null before the first. Equal requests share their facts: of two in flight, the older one ends before. */
  #newest: Request | null = null;
  /** Whose line stands in the scoreboard. */
  #noted: RequestFacts | null = null;

  /**
   * `limit`: max_requests of this worker, jitter included; 0 for none. `onTired` is called once, when it is reached.
   * `enricher`: null without enrich_response.
   */
  constructor(parts: {
    readonly app: App;
    readonly worker: HookWorker;
    readonly hooks: RequestHooks;
    readonly log: Log;
    readonly scores: ScoreboardRow;
    readonly limit: number;
    readonly enricher: Enricher | null;
    readonly onTired: () => void;
  }) {
    this.#app = parts.app;
    this.#worker = parts.worker;
    this.#preRequest = parts.hooks.preRequest ?? null;
    this.#postRequest = parts.hooks.postRequest ?? null;
    this.#log = parts.log;
    this.#debug = parts.worker.cfg.loglevel === "debug";
    this.#scores = parts.scores;
    this.#line = parts.scores.newest;
    this.#longestLine = longestLine(this.#line);
    this.#limit = parts.limit;
    this.#onTired = parts.onTired;
    this.#enricher = parts.enricher;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Counts the request and asks the app. What comes back is the app's answer, at once or later;
   * a throw or a rejection is a failure that the caller hands to `fail`. Every handled request
   * must be ended with `finish`. `handle` is a route's handler instead of the app's fetch.
   */
  begin(
    facts: RequestFacts,
    request: Request,
    server: unknown,
    handle: App["fetch"] = this.#app.fetch,
  ): Response | Promise<Response> {
    const startedUs = this.#enricher === null ? 0 : this.#enricher.nowUs();
    this.#inFlight += 1;
    this.#scores.inFlight = this.#inFlight;
    this.#requests += 1;
    this.#scores.requests = this.#requests;
    this.#newest = request;
    this.#note(facts);
    if (this.#requests === this.#limit) this.#onTired();
    if (this.#preRequest !== null) {
      this.#preRequest(this.#worker, hookRequest(facts, request));
    } else if (this.#debug) {
      this.#log.debug(`${facts.method} ${hookRequest(facts, request).path}`);
    }
    if (this.#enricher === null) return handle(request, server);
    const { method } = facts;
    return this.#enricher.ask({ method, startedUs, nr: this.#requests }, () =>
      handle(request, server),
    );
  }

  /**
   * The answer to a request that failed: the app's own error response, or null for a plain 500. The app has thrown
   * `error`, or `message` says why what it has returned can't be sent; `error` may be null then.
   */
  async fail(facts: RequestFacts, error: unknown, message = ""): Promise<Response | null> {
    const { error: onError } = this.#app;
    if (onError === null) {
      if (message === "") this.#blame(facts, error);
      else this.complain(facts, message, error);
      return null;
    }
    const reason = message === "" ? error : (error ?? new TypeError(message));
    try {
      const answer: unknown = await onError(reason);
      if (answer instanceof Response) return answer;
      this.complain(facts, "Expected a Response of the app's error handler", reason);
    } catch (second) {
      this.#blame(facts, second);
    }
    return null;
  }

  /** Ends a request: response is null when none could be made. */
  finish(facts: RequestFacts, request: Request, response: Response | null): void {
    this.#inFlight -= 1;
    this.#scores.inFlight = this.#inFlight;
    if (request === this.#newest) closeLine(this.#line);
    if (this.#postRequest === null) return;
    try {
      this.#postRequest(this.#worker, hookRequest(facts, request), noEnviron, response);
    } catch (error) {
      this.#log.exception(`Exception in post_request hook\n${describeError(error)}`);
    }
  }

  /** Where the master finds it, whatever the app does next. A head is copied: its text may never be asked for. */
  #note(facts: RequestFacts): void {
    const line = this.#line;
    // A head that has come again stands there already.
    if (facts === this.#noted) return reopenLine(line);
    this.#noted = facts;
    const end =
      facts instanceof Head
        ? facts.copyLine(line, lineStart, this.#longestLine)
        : writeLine(line, facts);
    openLine(line, end);
  }

  trace(request: Request): Trace | null {
    return traceOfRequest(request);
  }

  /** The app has stopped as its client has left, or it has cut the client itself: nobody waits for an answer. */
  gaveUp({ method, target }: RequestFacts, error: unknown): void {
    this.#log.debug(`Gave up ${method} ${target}: ${textOf(error)}`);
  }

  #blame(facts: RequestFacts, error: unknown): void {
    const thrown = error ?? null;
    this.complain(facts, thrown === null ? `Thrown: ${String(error)}` : "", thrown);
  }

  /** One line about what an app got wrong, with the stack if there is an error. */
  complain({ method, target }: RequestFacts, message: string, error: unknown = null): void {
    this.#scores.errors += 1;
    const what = message === "" ? "" : `: ${message}`;
    const stack = error === null ? "" : `\n${describeError(error)}`;
    this.#log.exception(`Error handling request ${method} ${target}${what}${stack}`);
  }
}

function hookRequest({ method, target }: RequestFacts, request: Request): HookRequest {
  const at = target.indexOf("?");
  return {
    method,
    target,
    path: at === -1 ? target : target.slice(0, at),
    query: at === -1 ? "" : target.slice(at + 1),
    request,
  };
}

/** max_requests plus an integer drawn uniformly from 0 to the jitter; 0 means no limit. */
export function drawLimit(maxRequests: number, jitter: number, random: () => number): number {
  if (maxRequests === 0) return 0;
  return maxRequests + Math.floor(random() * (jitter + 1));
}
