/** `ctl tune`: a server is watched for a while, and how many workers it should have is said, or done. */
import { type Advice, advise } from "../../scaling/advise.ts";
import { figure, percent } from "../../scaling/describe.ts";
import { latencyWith } from "../../scaling/latency.ts";
import { decodeLoad } from "../../scaling/load-answer.ts";
import type { LoadSample } from "../../scaling/load-sample.ts";
import { type Figures, measure } from "../../scaling/measure.ts";
import { type Client, type Data, Refused } from "./client.ts";
import { pairs, showTime } from "./layouts.ts";
import { showBytes } from "./table.ts";

/** A heartbeat comes four times as often, and each look costs the master some files of /proc. */
const intervalMs = 1000;

export interface Tuning {
  readonly watchMs: number;
  /** Do what is advised. */
  readonly apply: boolean;
}

/** Throws what the client does, and Refused when the server can't be measured. */
export async function tune(client: Client, { watchMs, apply }: Tuning) {
  const figures = measure(await watch(client, watchMs));
  if (figures === null)
    throw new Refused("The system doesn't tell how much CPU the workers use, there is no /proc");
  const advice = advise(figures);
  const isChange = advice.certain && advice.workers !== figures.workers;
  const applied = apply && isChange ? await client.ask(["scale", String(advice.workers)]) : null;
  return {
    data: dataOf(figures, advice, applied),
    shown: render(figures, advice, apply ? (applied ?? "nothing") : null),
  };
}

async function watch(client: Client, watchMs: number): Promise<readonly LoadSample[]> {
  const endMs = performance.now() + watchMs;
  const samples: LoadSample[] = [];
  for (;;) {
    samples.push(decodeLoad(await client.ask(["show", "load"])));
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) return samples;
    await Bun.sleep(Math.min(intervalMs, leftMs));
  }
}

function dataOf(figures: Figures, advice: Advice, applied: Data | null) {
  const { workerBytes, freeBytes, shares, requestsPerSecond } = figures;
  const latency = latencyWith(figures, advice.workers);
  return {
    workers: figures.workers,
    advised: advice.certain ? advice.workers : null,
    guideline: guidelineOf(figures),
    limit: advice.limit,
    because: advice.because,
    applied: applied !== null,
    seconds: figures.seconds,
    cpus: figures.cpus,
    cpus_busy: figures.busyCpus,
    cpus_idle: figures.idleCpus,
    slots: shares.map(({ slot, share }) => ({ slot, cpu: share })),
    loop_standstill: figures.standstill,
    loop_longest: figures.longest === null ? 0 : figures.longest.ms / 1000,
    in_flight: figures.inFlight,
    connections: figures.connections,
    backlog: figures.backlog,
    requests_per_second: requestsPerSecond,
    worker_memory_bytes: workerBytes,
    memory_free_bytes: freeBytes,
    latency: latency === null ? null : latency.nowMs / 1000,
    latency_advised: latency === null || !advice.certain ? null : latency.thenMs / 1000,
  };
}

/** Gunicorn's rule. */
function guidelineOf({ cpus }: Figures): number {
  return 2 * Math.ceil(cpus) + 1;
}

/** Pure. `applied`: what the server has said to it, or that there was nothing to do; null: nobody has asked. */
export function render(figures: Figures, advice: Advice, applied: Data | "nothing" | null): string {
  const { workers, seconds, cpus, busyCpus, longest, workerBytes, freeBytes } = figures;
  const guideline = `${guidelineOf(figures)}, 2 x CPUs + 1, is for workers that stand still while they wait`;
  const slots = figures.shares.map(({ slot, share }) => `slot ${slot} ${percent(share)}`);
  const all = slots.length > mostSlots ? [...slots.slice(0, mostSlots), "..."] : slots;
  const load = [
    `${figure(figures.requestsPerSecond)} requests/s`,
    `${figure(figures.inFlight)} in flight`,
    `${figure(figures.connections)} connections`,
    `${figure(figures.backlog)} wait to be accepted`,
  ];
  const told =
    applied === "nothing" ? "nothing to do" : applied === null ? null : changeOf(applied);
  return pairs([
    ["Watched", `${seconds.toFixed(0)} s`],
    ["Load", load.join(", ")],
    ["CPUs", `${figure(busyCpus)} of ${figure(cpus)} busy with workers: ${all.join(", ")}`],
    [
      "Event loops",
      `stood still ${percent(figures.standstill)} of the time, ${showTime((longest?.ms ?? 0) / 1000)} at most`,
    ],
    ["Memory", `${showBytes(workerBytes)} a worker, ${showBytes(freeBytes)} free`],
    ["Workers", `${workers}`],
    ["Guideline", guideline],
    ["Advice", adviceText(workers, advice)],
    ["Latency", latencyText(figures, advice)],
    ["Applied", told],
  ]);
}

/** More would fill the screen. */
const mostSlots = 16;

function changeOf({ previous, total }: Data): string {
  return `${String(previous)} -> ${String(total)} workers`;
}

function adviceText(now: number, { limit, workers, certain, because }: Advice): string {
  if (limit === "no load") return `not enough load to tell: ${because}`;
  if (!certain) return `none: ${because}`;
  if (workers === now) return `${now}, as it is: ${because}`;
  return `${workers} ${workers === 1 ? "worker" : "workers"}: ${because}`;
}

function latencyText(figures: Figures, { limit, workers, certain }: Advice): string | null {
  const latency = latencyWith(figures, workers);
  if (latency === null || !certain) return null;
  const now = `${latency.atLeast ? "more than" : "about"} ${showTime(latency.nowMs / 1000)} on average`;
  if (workers === figures.workers) return now;
  if (limit === "turns" || limit === "connections" || limit === "standstill")
    return `${workers} workers do ${figure(workers / figures.workers)} times as much at a time: others wait less for their turn`;
  return `${now}, about ${showTime(latency.thenMs / 1000)} with ${workers}`;
}
