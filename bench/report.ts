/** Results as text: the table, and the facts about the machine without which it means little. */
import { cpus, release, totalmem } from "node:os";
import type { Figure, Load } from "./loads.ts";
import { type LoadResult, summarise } from "./pairs.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/** From so much of one CPU on, wrk rather than the server bounds the requests per second. */
const saturated = 0.95;

const columns = ["load", "gunicorn-ts", "Bun.serve", "compared", "target", "", "req/s", "errors"];

export function renderTable(results: readonly LoadResult[]): string {
  const rows = [columns, ...results.map(rowOf)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function rowOf(result: LoadResult): string[] {
  const { load } = result;
  const { ours, bare, compared, met, errors } = summarise(result);
  return [
    load.name,
    `${number(ours.median)} ${load.unit}`,
    number(bare.median),
    showCompared(load, compared),
    `<= ${showTarget(load)}`,
    met ? "met" : "NOT MET",
    requestRates(result),
    String(errors),
  ];
}

function showCompared({ comparison }: Load, { median, min, max }: Spread): string {
  const show = (value: number) => value.toFixed(comparison === "ratio" ? 2 : 0);
  return `${show(median)} (${show(min)} .. ${show(max)})`;
}

function showTarget({ comparison, unit, target }: Load): string {
  return comparison === "ratio" ? target.toFixed(2) : `${target} ${unit} more`;
}

function requestRates({ pairs }: LoadResult): string {
  const rateOf = (figures: readonly Figure[]) => {
    const rates = figures.flatMap(({ requestsPerSecond: rate }) => (rate === null ? [] : [rate]));
    if (rates.length === 0) return null;
    const bound = figures.some(({ driverBusy }) => (driverBusy ?? 0) >= saturated);
    return `${Math.round(spreadOf(rates).median)}${bound ? "*" : ""}`;
  };
  const ours = rateOf(pairs.map((pair) => pair.ours));
  const bare = rateOf(pairs.map((pair) => pair.bare));
  return ours === null || bare === null ? "-" : `${ours} : ${bare}`;
}

/** Three significant digits, but no fewer than the whole part. */
function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function machineFacts(): string {
  const processors = cpus();
  const model = processors[0]?.model ?? "unknown CPU";
  const memory = `${(totalmem() / 2 ** 30).toFixed(1)} GiB`;
  return `${processors.length} x ${model}, ${memory}, Linux ${release()}, Bun ${Bun.version}`;
}

export function notes(results: readonly LoadResult[]): string {
  const lines = ["compared: median of the pairs (lowest .. highest), smaller is better"];
  const figures = results.flatMap(({ pairs }) => pairs.flatMap(({ ours, bare }) => [ours, bare]));
  if (figures.some(({ driverBusy }) => (driverBusy ?? 0) >= saturated)) {
    lines.push("*: bounded by wrk, which used a whole CPU; the CPU time per request stands");
  }
  return `${lines.join("\n")}\n`;
}
