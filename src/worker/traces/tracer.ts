/** otel_endpoint: each request that the app is asked for has a place in a trace, and a span when it is sampled. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { App } from "../../app/load.ts";
import { provideTraces } from "../../api/current-trace.ts";
import type { Log } from "../../api/log.ts";
import type { RequestFacts, RequestObserver, RequestRecord } from "../../api/request-record.ts";
import type { ConfigData } from "../../config/data.ts";
import { allValues } from "../../http/syntax/find-field.ts";
import { Head } from "../../http/syntax/head.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { decodeText } from "../../log/lines/json-text.ts";
import { rawPath } from "../../log/access/request-facts.ts";
import { readTraceSettings, type TraceSettings } from "../../telemetry/traces/environment.ts";
import { Exporter } from "../../telemetry/traces/exporter.ts";
import { spanText } from "../../telemetry/traces/otlp.ts";
import {
  type Chance,
  isSampled,
  type Parent,
  readTraceparent,
  RequestTrace,
} from "../../telemetry/traces/trace-context.ts";
import { version } from "../../version.ts";
import { EngineRecord } from "../records/engine-record.ts";
import { provideUnsampled, rememberTrace, traceOfRequest } from "../records/traces.ts";

const toleranceMs = 5;

const chance: Chance = {
  share: Math.random,
  hex: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)).toHex(),
};

export interface TracerParts {
  readonly config: Pick<ConfigData, "otelEndpoint" | "otelSample" | "procName">;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly scores: Pick<ScoreboardRow, "spansDropped">;
  /** What concerns all workers alike is logged by the first. */
  readonly slot: number;
}

/** Null without otel_endpoint, and where the environment switches it off. */
export function openTracer({ config, env, log, scores, slot }: TracerParts): Tracer | null {
  const { otelEndpoint, otelSample, procName } = config;
  if (otelEndpoint === null) return null;
  const settings = readTraceSettings(otelEndpoint, otelSample, procName ?? "gunicorn-ts", env);
  if (settings === null) {
    if (slot === 0) log.info("Traces: the environment has switched them off");
    return null;
  }
  if (slot === 0) {
    for (const remark of settings.remarks) log.warning(`Traces: ${remark}`);
    log.info(`Traces go to ${settings.url}`);
  }
  const onDropped = (count: number) => void (scores.spansDropped += count);
  return new Tracer(settings, new Exporter({ settings, version, log, onDropped }));
}

/** The system's clock in microseconds, in which durations don't jump; it follows where that is set. */
class SteadyClock {
  #originMs = performance.timeOrigin;

  nowUs(): number {
    const sinceMs = performance.now();
    const nowMs = Date.now();
    if (Math.abs(nowMs - this.#originMs - sinceMs) > toleranceMs) this.#originMs = nowMs - sinceMs;
    return (this.#originMs + sinceMs) * 1000;
  }
}

export class Tracer implements RequestObserver {
  readonly #settings: TraceSettings;
  readonly #exporter: Exporter;
  readonly #clock = new SteadyClock();
  readonly #current = new AsyncLocalStorage<Request>();

  constructor(settings: TraceSettings, exporter: Exporter) {
    this.#settings = settings;
    this.#exporter = exporter;
    provideUnsampled(
      (head) => new RequestTrace(parentOf(head), allValues(head, "tracestate"), false, chance),
    );
    provideTraces({
      getStore: () => {
        const request = this.#current.getStore();
        return request === undefined ? undefined : (traceOfRequest(request) ?? undefined);
      },
    });
  }

  /** Asks the app, in whose calls, and in what they wait for, currentTrace() is the request's. */
  within(
    facts: RequestFacts,
    request: Request,
    server: unknown,
    handle: App["fetch"],
  ): Response | Promise<Response> {
    // What the engine has read is looked through as it is: a Headers costs more than all of this.
    const head = facts instanceof Head ? facts : null;
    const parent = head === null ? parentIn(request.headers) : parentOf(head);
    const sampled = isSampled(this.#settings.sampler, parent, chance);
    if (head === null || sampled) {
      const state =
        head === null ? request.headers.get("tracestate") : allValues(head, "tracestate");
      rememberTrace(request, new RequestTrace(parent, state, sampled, chance));
    }
    return this.#current.run(request, handle, request, server);
  }

  answered(request: RequestRecord): void {
    const trace = request instanceof EngineRecord ? request.sampledTrace : (request.trace ?? null);
    if (trace?.sampled !== true) return;
    if (this.#exporter.full) return this.#exporter.drop(1);
    const span = spanText({
      request,
      trace,
      path: decodeText(rawPath(request)),
      scheme: request.environ("wsgi.url_scheme"),
      host: decode(request.requestHeader("host")),
      userAgent: decode(request.requestHeader("user-agent")),
      endedUs: this.#clock.nowUs(),
    });
    this.#exporter.add(span);
  }

  /** The last request is served: sends what waits, for so long at most. */
  end(limitMs: number): Promise<void> {
    return this.#exporter.end(limitMs);
  }
}

function parentOf(head: Head): Parent | null {
  return readTraceparent(allValues(head, "traceparent"));
}

function parentIn(headers: Headers): Parent | null {
  return readTraceparent(headers.get("traceparent"));
}

function decode(text: string | null): string | null {
  return text === null ? null : decodeText(text);
}
