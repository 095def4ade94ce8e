/** What an app does under more load than it can bear, as text, chart and series. */
import type { Panel } from "../charts/svg.ts";
import type { Series } from "../results.ts";
import { renderColumns } from "../tables.ts";
import type { OpenTurn } from "./open-loop.ts";

export interface Visited {
  /** How many times the load is what the app can do. */
  readonly factor: number;
  readonly sheds: boolean;
  readonly seconds: number;
  readonly turn: OpenTurn;
}

/** Good answers a second. */
export function goodput({ turn, seconds }: Visited): number {
  return turn.good / seconds;
}

export function latencyMs({ turn: { latenciesMs } }: Visited, share: number): number | null {
  return (
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? null
  );
}

const head = ["load", "in time/s", "of best", "503/s", "left/s", "failed/s", "p50 ms", "p99 ms"];

function nameOf(sheds: boolean, latency: number): string {
  return sheds ? `with --shed-latency-ms ${latency}` : "without";
}

export function renderOverload(visited: readonly Visited[], shedLatencyMs: number): string {
  const best = Math.max(...visited.map(goodput));
  return [false, true]
    .map((sheds) => {
      const rows = visited
        .filter((each) => each.sheds === sheds)
        .map((each) => [
          `${each.factor} x`,
          goodput(each).toFixed(1),
          `${((goodput(each) / best) * 100).toFixed(0)} %`,
          ...[each.turn.refused, each.turn.left, each.turn.failed].map((count) =>
            (count / each.seconds).toFixed(1),
          ),
          ...[0.5, 0.99].map((share) => latencyMs(each, share)?.toFixed(0) ?? "-"),
        ]);
      return `${nameOf(sheds, shedLatencyMs)}\n\n${renderColumns([head, ...rows])}`;
    })
    .join("\n");
}

export function seriesOf(visited: readonly Visited[], shedLatencyMs: number): Series[] {
  return visited.flatMap((each) => {
    const at = `${each.factor} x, ${nameOf(each.sheds, shedLatencyMs)}`;
    const p99 = latencyMs(each, 0.99);
    return [
      { name: `${at}: in time`, unit: "req/s", better: "more" as const, values: [goodput(each)] },
      ...(p99 === null
        ? []
        : [{ name: `${at}: p99`, unit: "ms", better: "less" as const, values: [p99] }]),
    ];
  });
}

export function panelsOf(visited: readonly Visited[], shedLatencyMs: number): Panel[] {
  return [false, true].flatMap((sheds) => {
    const own = visited.filter((each) => each.sheds === sheds);
    const name = nameOf(sheds, shedLatencyMs);
    const marks = [{ x: 1, label: "what it can do" }];
    const xLabel = "load, in multiples of what it can do";
    return [
      {
        title: `Answered in time, ${name}`,
        xLabel,
        yLabel: "requests per second",
        points: [{ x: 0, y: 0 }, ...own.map((each) => ({ x: each.factor, y: goodput(each) }))],
        marks,
      },
      {
        title: `The slowest of them, ${name}`,
        xLabel,
        yLabel: "p99, ms",
        points: own.flatMap((each) => {
          const y = latencyMs(each, 0.99);
          return y === null ? [] : [{ x: each.factor, y }];
        }),
        marks,
      },
    ];
  });
}
