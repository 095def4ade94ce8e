/** A worker in a time of its own: a loop that takes turns, requests that come whether or not it is done, an app that computes. */
import { logTo } from "./log-lines.ts";
import { createRow } from "../../src/ipc/scoreboard.ts";
import { Shedder } from "../../src/worker/overload/shedder.ts";

export interface ModelOptions {
  /** shed_latency_ms; 0: nothing is refused. */
  readonly targetMs: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** What the app computes for each request. */
  readonly computeMs: number;
  /** How long it waits before that; null: it computes at once. */
  readonly waitMs?: number | null;
  /** When the loop stands still for a while, and for how long. */
  readonly pauses?: readonly (readonly [atMs: number, tookMs: number])[];
  /** So many come at once, at these times. */
  readonly bursts?: readonly (readonly [atMs: number, count: number])[];
  /** What is measured begins then. */
  readonly fromSecond?: number;
  readonly exempt?: readonly string[];
}

export interface Outcome {
  /** Requests whose answer came within a second, of each second. */
  readonly goodPerSecond: number;
  readonly refused: number;
  /** Of the answers of the app, in milliseconds. */
  readonly p99Ms: number;
  readonly lines: readonly string[];
}

/** What it costs to refuse a request. */
const refusalMs = 0.05;
const patienceMs = 1000;

export function simulate(options: ModelOptions): Outcome {
  const { targetMs, seconds, computeMs, waitMs = null, fromSecond = 0 } = options;
  const lines: string[] = [];
  const line = (text: string) => void (text !== "" && lines.push(text));
  const log = logTo(line);
  let nowMs = 0;
  let atEnd: (() => void)[] = [];
  const clock = {
    nowMs: () => nowMs,
    atEnd: (call: () => void) => void atEnd.push(call),
    eachSecond: () => () => {},
  };
  const config = { shedLatencyMs: targetMs, shedExempt: options.exempt ?? [] };
  const shedder = targetMs === 0 ? null : new Shedder({ config, log, scores: createRow(), clock });
  const arrivals = arrivalsOf(options);
  const pauses = [...(options.pauses ?? [])];
  /** Of requests that the app waits with: when they go on, and when they came. */
  const waiting: { readonly dueMs: number; readonly cameMs: number }[] = [];
  const latencies: number[] = [];
  let refused = 0;
  let next = 0;
  let waited = 0;
  const compute = (cameMs: number) => {
    nowMs += computeMs;
    if (cameMs >= fromSecond * 1000) latencies.push(nowMs - cameMs);
    shedder?.finished();
  };
  while (nowMs < seconds * 1000) {
    const lookedMs = nowMs;
    for (; next < arrivals.length && (arrivals[next] as number) <= lookedMs; next += 1) {
      const cameMs = arrivals[next] as number;
      if (shedder?.refuses({ method: "GET", target: "/" }, nowMs) === true) {
        if (cameMs >= fromSecond * 1000) refused += 1;
        nowMs += refusalMs;
      } else if (waitMs === null) compute(cameMs);
      else waiting.push({ dueMs: nowMs + waitMs, cameMs });
    }
    const dueMs = nowMs;
    for (; waited < waiting.length; waited += 1) {
      const each = waiting[waited] as (typeof waiting)[number];
      if (each.dueMs > dueMs) break;
      compute(each.cameMs);
    }
    if (pauses[0] !== undefined && pauses[0][0] <= nowMs) nowMs += pauses.shift()?.[1] ?? 0;
    const ended = atEnd;
    atEnd = [];
    for (const call of ended) call();
    // A loop with something to do at the end of a turn doesn't sleep.
    if (atEnd.length > 0) continue;
    const events = [arrivals[next], waiting[waited]?.dueMs, pauses[0]?.[0]];
    nowMs = Math.max(nowMs, Math.min(...events.map((at) => at ?? Number.POSITIVE_INFINITY)));
  }
  latencies.sort((one, other) => one - other);
  return {
    goodPerSecond: latencies.filter((each) => each <= patienceMs).length / (seconds - fromSecond),
    refused,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    lines,
  };
}

/** Evenly in each second, and not quite: the same each time. */
function arrivalsOf({ perSecond, seconds, bursts = [] }: ModelOptions): number[] {
  const gapMs = 1000 / perSecond;
  let seed = 1;
  const chance = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const steady: number[] = [];
  for (let atMs = 0; atMs < seconds * 1000; atMs += -Math.log(chance()) * gapMs) steady.push(atMs);
  const sudden = bursts.flatMap(([atMs, count]) => Array.from({ length: count }, () => atMs));
  return [...steady, ...sudden].sort((one, other) => one - other);
}
