/** A comparison as a table, for the terminal and for docs/benchmarks.md. */
import { addErrors, countErrors, saturated } from "../drivers/driver.ts";
import { describeOthers, known, type Measured, p99Ms } from "../measure.ts";
import type { Series } from "../results.ts";
import { medianOf, spreadOf } from "../statistics.ts";
import { renderMarkdown, showMs, showNumber } from "../tables.ts";
import type { Absence, Competitor, Contest } from "./rounds.ts";

const columns = [
  "server",
  "req/s",
  "beside the first",
  "CPU us/req",
  "p50 ms",
  "p99 ms",
  "MiB",
  "errors",
];

export function renderContest({ load, competitors, absent }: Contest): string {
  const [first] = competitors;
  const rows = first === undefined ? [] : competitors.map((each) => rowOf(each, first));
  const lines = [`**${load.name}** (${load.description})`, ""];
  if (rows.length > 0) lines.push(renderMarkdown([columns, ...rows]));
  if (rows.some((row) => row[1]?.endsWith("*"))) {
    lines.push("\\*: bounded by the load generator; CPU us/req stands.", "");
  }
  const others = first === undefined ? null : describeOthers(allTurns(competitors));
  if (others !== null) lines.push(others, "");
  if (absent.length > 0) lines.push(`Not in the table: ${absent.map(showAbsence).join("; ")}.`, "");
  return lines.join("\n");
}

function allTurns(competitors: readonly Competitor[]): readonly Measured[] {
  return competitors.flatMap(({ turns }) => turns);
}

function showAbsence({ name, why }: Absence): string {
  return `${name}, ${why}`;
}

function rowOf({ name, version, turns }: Competitor, first: Competitor): string[] {
  const median = (of: (turn: Measured) => number) => medianOf(turns.map(of));
  const cpuUs = known(turns, (turn) => turn.cpuUsPerRequest);
  const bound = turns.some(({ driverBusy }) => driverBusy >= saturated);
  return [
    `${name} (${version})`,
    `${median(({ requestsPerSecond }) => requestsPerSecond).toFixed(0)}${bound ? "*" : ""}`,
    showRatio(ratios(turns, first.turns)),
    cpuUs.length === 0 ? "-" : showNumber(medianOf(cpuUs)),
    showMs(median(({ p50Us }) => p50Us)),
    showMs(median(({ p99Us }) => p99Us)),
    (median(({ residentBytes }) => residentBytes) / 2 ** 20).toFixed(0),
    String(countErrors(addErrors(turns.map(({ errors }) => errors)))),
  ];
}

/** Of the requests per second, each round within itself. */
function ratios(turns: readonly Measured[], base: readonly Measured[]): number[] {
  const rounds = Math.min(turns.length, base.length);
  return Array.from({ length: rounds }, (_, round) => {
    const [own, first] = [turns[round]!.requestsPerSecond, base[round]!.requestsPerSecond];
    return own === first ? 1 : own / first;
  });
}

function showRatio(values: readonly number[]): string {
  const { median, min, max } = spreadOf(values);
  return `${median.toFixed(2)} (${min.toFixed(2)} .. ${max.toFixed(2)})`;
}

/** Only what every server has had as often: a round that was interrupted counts for nobody. */
export function completeRounds(contest: Contest): Contest {
  const rounds = Math.min(...contest.competitors.map(({ turns }) => turns.length));
  const competitors = contest.competitors.map((each) => ({
    ...each,
    turns: each.turns.slice(0, rounds),
  }));
  return { ...contest, competitors: rounds > 0 ? competitors : [] };
}

export function seriesOf({ load, competitors }: Contest): Series[] {
  const all = competitors.flatMap(({ name, turns }): Series[] => [
    {
      name: `${load.name}, ${name}: requests`,
      unit: "req/s",
      better: "more" as const,
      values: turns.map(({ requestsPerSecond }) => requestsPerSecond),
    },
    {
      name: `${load.name}, ${name}: CPU`,
      unit: "us/req",
      better: "less" as const,
      values: known(turns, (turn) => turn.cpuUsPerRequest),
    },
    {
      name: `${load.name}, ${name}: p99`,
      unit: "ms",
      better: "less" as const,
      values: known(turns, p99Ms),
    },
    {
      name: `${load.name}, ${name}: failed`,
      unit: "requests",
      better: "less" as const,
      values: turns.map(({ errors }) => countErrors(errors)),
    },
  ]);
  return all.filter(({ values }) => values.length > 0);
}
