/** A tuned load as text, chart and series. */
import { renderBars } from "../charts/bars.ts";
import type { Panel } from "../charts/svg.ts";
import { addErrors, countErrors, saturated, showErrors } from "../drivers/driver.ts";
import { describeOthers, known, type Measured, p99Ms } from "../measure.ts";
import type { Series } from "../results.ts";
import { medianOf, spreadOf } from "../statistics.ts";
import { renderColumns, showMs, showNumber } from "../tables.ts";
import {
  guideline,
  type Judged,
  judgeGuideline,
  mostFailed,
  recommend,
  type Recommendation,
  type Step,
} from "./recommend.ts";

export interface Tuned {
  readonly name: string;
  readonly steps: readonly Step[];
}

const columns = [
  ["workers", "req/s", "of best", "p50 ms", "p99 ms", "CPU us/req", "CPUs", "MiB", "errors", ""],
];

/** From this share of the CPUs on, the load generator changes how many workers are best. */
const generatorMatters = 0.2;

export function renderTuned({ name, steps }: Tuned, cpus: number): string {
  const sorted = ordered(steps);
  const advice = recommend(sorted);
  const rows = sorted.map((step) => rowOf(step, advice.judged.find(isOf(step)) as Judged));
  const bars = sorted.map((step) => ({
    label: String(step.workers),
    value: medianOf(rates(step)),
    note: noteOf(step.workers, advice.doubtful ? null : advice.workers, cpus),
  }));
  const visits = sorted.flatMap((step) => step.visits);
  const lines = [
    ...adviceLines(name, advice),
    ...(advice.doubtful
      ? []
      : [judgeGuideline(advice, cpus, driven(visits) >= cpus * generatorMatters)]),
    ...caveats(visits, cpus),
  ];
  return `${name}\n\n${renderColumns([...columns, ...rows])}\n${renderBars(bars)}\n${lines.join("\n")}\n`;
}

function adviceLines(name: string, { workers, open, doubtful, judged }: Recommendation): string[] {
  const limit = `${mostFailed * 100} % of the requests failed`;
  if (doubtful) {
    return [`No number of workers can be recommended for ${name}: more than ${limit} at each.`];
  }
  const lines = [`Recommended for ${name}: --workers ${workers}.`];
  if (open) {
    lines.push(`More may be better still: throughput was rising up to ${workers}, the last count.`);
  }
  const failing = judged
    .filter(({ verdict }) => verdict === "failures")
    .map((each) => each.workers);
  if (failing.length > 0) {
    lines.push(`Not considered, since more than ${limit}: ${failing.join(", ")} workers.`);
  }
  return lines;
}

/** CPUs that the load generator took. */
function driven(visits: readonly Measured[]): number {
  return medianOf(visits.map((visit) => visit.generatorCpuUs / visit.durationUs));
}

export function ordered(steps: readonly Step[]): Step[] {
  return [...steps].sort((a, b) => a.workers - b.workers);
}

function isOf({ workers }: Step): (judged: Judged) => boolean {
  return (judged) => judged.workers === workers;
}

function rates({ visits }: Step): number[] {
  return visits.map(({ requestsPerSecond }) => requestsPerSecond);
}

function rowOf(step: Step, { share, noise, verdict }: Judged): string[] {
  const median = (of: (visit: Measured) => number) => medianOf(step.visits.map(of));
  const [cpuUs, cpusUsed] = [
    known(step.visits, (visit) => visit.cpuUsPerRequest),
    known(step.visits, (visit) => visit.cpusUsed),
  ];
  const spread = noise > 0 ? ` +-${Math.round(noise * 100)}` : "";
  return [
    String(step.workers),
    median(({ requestsPerSecond }) => requestsPerSecond).toFixed(0),
    `${Math.round(share * 100)}${spread} %`,
    showMs(median(({ p50Us }) => p50Us)),
    showMs(median(({ p99Us }) => p99Us)),
    cpuUs.length === 0 ? "-" : showNumber(medianOf(cpuUs)),
    cpusUsed.length === 0 ? "-" : medianOf(cpusUsed).toFixed(2),
    (median(({ residentBytes }) => residentBytes) / 2 ** 20).toFixed(0),
    String(countErrors(addErrors(step.visits.map(({ errors }) => errors)))),
    verdict,
  ];
}

function noteOf(workers: number, recommended: number | null, cpus: number): string {
  const notes = [];
  if (workers === recommended) notes.push("<- recommended");
  if (workers === guideline(cpus)) notes.push("<- guideline 2n+1");
  return notes.join(" ");
}

/** What makes the figures doubtful, a sentence each. */
function caveats(visits: readonly Measured[], cpus: number): string[] {
  const lines: string[] = [];
  const bound = visits.filter(({ driverBusy }) => driverBusy >= saturated).length;
  if (bound > 0) {
    lines.push(
      `The load generator was at its own limit in ${bound} of ${visits.length} turns: the server can do more than it shows there.`,
    );
  }
  const taken = driven(visits);
  if (taken >= cpus * generatorMatters) {
    lines.push(
      `The load generator took ${taken.toFixed(2)} of the ${cpus} CPUs: a server that has all of them may want more workers.`,
    );
  }
  const others = describeOthers(visits);
  if (others !== null) lines.push(others);
  const errors = addErrors(visits.map((visit) => visit.errors));
  if (countErrors(errors) > 0) lines.push(`Requests that failed: ${showErrors(errors)}.`);
  return lines;
}

export function seriesOf({ name, steps }: Tuned): Series[] {
  return ordered(steps).flatMap((step) => {
    const at = `${name}, ${step.workers} workers`;
    const p99 = known(step.visits, p99Ms);
    const failed = step.visits.map(({ errors }) => countErrors(errors));
    return [
      { name: `${at}: requests`, unit: "req/s", better: "more" as const, values: rates(step) },
      ...(p99.length === 0
        ? []
        : [{ name: `${at}: p99`, unit: "ms", better: "less" as const, values: p99 }]),
      { name: `${at}: failed`, unit: "requests", better: "less" as const, values: failed },
    ];
  });
}

export function panelsOf({ name, steps }: Tuned, cpus: number): Panel[] {
  const sorted = ordered(steps);
  const advice = recommend(sorted);
  const marks = [
    { x: guideline(cpus), label: "2n+1" },
    ...(advice.doubtful ? [] : [{ x: advice.workers, label: "recommended" }]),
  ];
  const pointsOf = (of: (visit: Measured) => number | null) =>
    sorted.flatMap(({ workers, visits }) => {
      const values = known(visits, of);
      if (values.length === 0) return [];
      const { median, min, max } = spreadOf(values);
      return [{ x: workers, y: median, low: min, high: max }];
    });
  return [
    {
      title: `${name}: throughput`,
      xLabel: "workers",
      yLabel: "requests per second",
      points: pointsOf(({ requestsPerSecond }) => requestsPerSecond),
      marks,
    },
    {
      title: `${name}: slowest requests`,
      xLabel: "workers",
      yLabel: "p99, ms",
      points: pointsOf(p99Ms),
      marks,
    },
  ];
}
