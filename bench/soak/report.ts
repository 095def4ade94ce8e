/** A soak as text, chart and series. */
import type { Panel } from "../charts/svg.ts";
import { addErrors, countErrors, showErrors } from "../drivers/driver.ts";
import type { Measured } from "../measure.ts";
import type { Series } from "../results.ts";
import { fitLine, type Line, medianOf, spreadOf } from "../statistics.ts";
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

/** What memory grows by, in MiB per hour, after the warm-up; null below three samples. */
export function memorySlope(samples: readonly Sample[]): Line | null {
  const end = samples.at(-1)?.seconds ?? 0;
  const settled = samples.filter(({ seconds }) => seconds >= end * warmUpShare);
  if (settled.length < 3) return null;
  return fitLine(settled.map(({ seconds, bytes }) => [seconds / hour, bytes / mebibyte]));
}

export function renderSoak({ segments, samples, hups, pids }: Soaked): string {
  if (segments.length === 0) return "Nothing was measured.\n";
  const errors = addErrors(segments.map(({ turn }) => turn.errors));
  const requests = segments.reduce((sum, { turn }) => sum + turn.requests, 0);
  const p99 = spreadOf(segments.map(({ turn }) => turn.p99Us / 1000));
  const rate = spreadOf(segments.map(({ turn }) => turn.requestsPerSecond));
  return [
    `requests  ${requests}, of which failed: ${showErrors(errors)}`,
    `events    ${hups.length} HUPs, ${pids.size} workers seen`,
    `req/s     ${rate.median.toFixed(0)} (${rate.min.toFixed(0)} .. ${rate.max.toFixed(0)})`,
    `p99       ${showNumber(p99.median)} ms (${showNumber(p99.min)} .. ${showNumber(p99.max)})`,
    `memory    ${describeMemory(samples)}`,
    "",
    countErrors(errors) === 0 ? "No request failed." : "REQUESTS FAILED.",
    "",
  ].join("\n");
}

function describeMemory(samples: readonly Sample[]): string {
  if (samples.length === 0) return "not looked at";
  const { median, max } = spreadOf(samples.map(({ bytes }) => bytes / mebibyte));
  const size = `${median.toFixed(0)} MiB (at most ${max.toFixed(0)})`;
  const line = memorySlope(samples);
  if (line === null) return `${size}; too short for a slope`;
  const slope = `${line.slope.toFixed(1)} +-${line.noise.toFixed(1)} MiB per hour`;
  return `${size}; ${line.slope > line.noise ? "it grows" : "no measurable growth"}: ${slope}`;
}

export function seriesOf({ segments, samples }: Soaked): Series[] {
  if (segments.length === 0) return [];
  const of = (name: string, unit: string, better: Series["better"], values: number[]): Series => ({
    name,
    unit,
    better,
    values,
  });
  const memory = samples.map(({ bytes }) => bytes / mebibyte);
  return [
    of(
      "requests",
      "req/s",
      "more",
      segments.map(({ turn }) => turn.requestsPerSecond),
    ),
    of(
      "p99",
      "ms",
      "less",
      segments.map(({ turn }) => turn.p99Us / 1000),
    ),
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
  const over = (title: string, yLabel: string, of: (turn: Measured) => number): Panel => ({
    title,
    xLabel: "seconds",
    yLabel,
    points: segments.map(({ seconds, turn }) => ({ x: seconds, y: of(turn) })),
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
    { title: "Memory", xLabel: "seconds", yLabel: "MiB, master and workers", points: memory },
  ];
}

function chunk<T>(values: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < values.length; at += size) parts.push(values.slice(at, at + size));
  return parts;
}
