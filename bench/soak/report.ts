/** A soak as text, chart and series. */
import type { Panel } from "../charts/svg.ts";
import { addErrors, countErrors, saturated, showErrors } from "../drivers/driver.ts";
import { known, type Measured, p99Ms } from "../measure.ts";
import type { Series } from "../results.ts";
import { fitLine, type Line, meanOf, medianOf, spreadOf } from "../statistics.ts";
import { showNumber } from "../tables.ts";

export interface Segment {
  /** When it began, from the start of the load. */
  readonly seconds: number;
  readonly turn: Measured;
}

export interface Sample {
  readonly seconds: number;
  /** Resident, of master and workers. */
  readonly bytes: number;
}

/** It grows while the soak runs. */
export interface Soaked {
  readonly segments: Segment[];
  readonly samples: Sample[];
  /** When HUP was sent, in seconds. */
  readonly hups: number[];
  /** Of all workers that were seen. */
  readonly pids: Set<number>;
}

const mebibyte = 2 ** 20;
const hour = 3600;

/** The share of the time at whose end the machine code and the heaps have their size. */
const warmUpShare = 0.2;

/** What memory grows by, in MiB per hour, after the warm-up; null when there are too few periods, or samples without HUPs. */
export function memorySlope(samples: readonly Sample[], hups: readonly number[]): Line | null {
  const settled = settledSamples(samples, hups);
  if (settled.length < 3) return null;
  return fitLine(settled.map(({ seconds, bytes }) => [seconds / hour, bytes / mebibyte]));
}

/**
 * After the warm-up: the mean of each whole period from HUP to HUP, since memory rises and falls within one, with old
 * and new workers side by side. Without HUPs, the samples.
 */
export function settledSamples(samples: readonly Sample[], hups: readonly number[]): Sample[] {
  const end = samples.at(-1)?.seconds ?? 0;
  const from = end * warmUpShare;
  if (hups.length === 0) return samples.filter(({ seconds }) => seconds >= from);
  return [0, ...hups].slice(0, -1).flatMap((begin, index) => {
    const next = hups[index] as number;
    const within = samples.filter(({ seconds }) => seconds >= begin && seconds < next);
    if (begin < from || within.length === 0) return [];
    const mean = (of: (sample: Sample) => number) => meanOf(within.map(of));
    return [{ seconds: mean(({ seconds }) => seconds), bytes: mean(({ bytes }) => bytes) }];
  });
}

export function renderSoak({ segments, samples, hups, pids }: Soaked): string {
  if (segments.length === 0) return "Nothing was measured.\n";
  const errors = addErrors(segments.map(({ turn }) => turn.errors));
  const requests = segments.reduce((sum, { turn }) => sum + turn.requests, 0);
  const turns = segments.map(({ turn }) => turn);
  const slow = known(turns, p99Ms);
  const p99 = slow.length === 0 ? null : spreadOf(slow);
  const rate = spreadOf(segments.map(({ turn }) => turn.requestsPerSecond));
  return [
    `requests  ${requests}, of which failed: ${showErrors(errors)}`,
    `events    ${hups.length} HUPs, ${pids.size} workers seen`,
    `req/s     ${rate.median.toFixed(0)} (${rate.min.toFixed(0)} .. ${rate.max.toFixed(0)})`,
    p99 === null
      ? "p99       -"
      : `p99       ${showNumber(p99.median)} ms (${showNumber(p99.min)} .. ${showNumber(p99.max)})`,
    `memory    ${describeMemory(samples, hups)}`,
    ...saturation(turns),
    "",
    countErrors(errors) === 0 ? "No request failed." : "REQUESTS FAILED.",
    "",
  ].join("\n");
}

function saturation(turns: readonly Measured[]): string[] {
  const bound = turns.filter(({ driverBusy }) => driverBusy >= saturated).length;
  if (bound === 0) return [];
  return [`The load generator was at its own limit in ${bound} of ${turns.length} segments.`];
}

function describeMemory(samples: readonly Sample[], hups: readonly number[]): string {
  if (samples.length === 0) return "not looked at";
  const { median, max } = spreadOf(samples.map(({ bytes }) => bytes / mebibyte));
  const size = `${median.toFixed(0)} MiB (at most ${max.toFixed(0)})`;
  const line = memorySlope(samples, hups);
  if (line === null) return `${size}; too short for a slope`;
  const slope = `${line.slope.toFixed(1)} +-${line.noise.toFixed(1)} MiB per hour`;
  return `${size}; ${line.slope > line.noise ? "it grows" : "no measurable growth"}: ${slope}`;
}

export function seriesOf({ segments, samples, hups }: Soaked): Series[] {
  if (segments.length === 0) return [];
  const of = (
    name: string,
    unit: string,
    better: Series["better"],
    values: readonly number[],
  ): Series => ({
    name,
    unit,
    better,
    values,
  });
  const settled = settledSamples(samples, hups);
  const memory = (settled.length > 0 ? settled : samples).map(({ bytes }) => bytes / mebibyte);
  const p99 = known(
    segments.map(({ turn }) => turn),
    p99Ms,
  );
  return [
    of(
      "requests",
      "req/s",
      "more",
      segments.map(({ turn }) => turn.requestsPerSecond),
    ),
    ...(p99.length === 0 ? [] : [of("p99", "ms", "less", p99)]),
    of(
      "failed requests",
      "per segment",
      "less",
      segments.map(({ turn }) => countErrors(turn.errors)),
    ),
    ...(memory.length === 0 ? [] : [of("memory", "MiB", "less", memory)]),
  ];
}

export function panelsOf({ segments, samples, hups }: Soaked): Panel[] {
  // One label stands for all: there may be hundreds.
  const marks = hups.map((x, index) => ({ x, label: index === 0 ? "HUP" : "" }));
  const over = (title: string, yLabel: string, of: (turn: Measured) => number): Panel => ({
    title,
    xLabel: "seconds",
    yLabel,
    points: segments.map(({ seconds, turn }) => ({ x: seconds, y: of(turn) })),
    marks,
  });
  // A long soak has more samples than a chart has dots for.
  const every = Math.ceil(samples.length / 200);
  const memory = chunk(samples, every).map((part) => ({
    x: part[0]!.seconds,
    y: medianOf(part.map(({ bytes }) => bytes / mebibyte)),
  }));
  return [
    over("Throughput", "requests per second", (turn) => turn.requestsPerSecond),
    over("Slowest requests", `p99, ms; ${hups.length} HUPs`, (turn) => turn.p99Us / 1000),
    over("Failed requests", "per segment", (turn) => countErrors(turn.errors)),
    {
      title: "Memory",
      xLabel: "seconds",
      yLabel: "MiB, master and workers",
      points: memory,
      marks,
    },
  ];
}

function chunk<T>(values: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < values.length; at += size) parts.push(values.slice(at, at + size));
  return parts;
}
