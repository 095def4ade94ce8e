/** Ratios as text. */
import { saturated } from "../drivers/driver.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { renderColumns, showNumber } from "../tables.ts";
import type { Figure } from "./figure.ts";
import type { RatioLoad } from "./loads.ts";
import { type LoadResult, summarise } from "./pairs.ts";
import { nameOf, type Side } from "./sides.ts";

export function renderTable(results: readonly LoadResult[], other: Side = "bare"): string {
  const columns = [
    "load",
    "gunicorn-ts",
    nameOf(other),
    "compared",
    "target",
    "",
    "req/s",
    "errors",
  ];
  const rows = [columns, ...results.map((result) => rowOf(result, other === "bare"))];
  return renderColumns(rows);
}

/** `judged`: by a target, which is for a bare Bun.serve. */
function rowOf(result: LoadResult, judged: boolean): string[] {
  const { load } = result;
  const { ours, bare, compared, met, errors } = summarise(result);
  return [
    load.name,
    `${showNumber(ours.median)} ${load.unit}`,
    showNumber(bare.median) + (judged && load.beside !== undefined ? ` (${load.beside})` : ""),
    showCompared(load, compared),
    judged ? `<= ${showTarget(load)}` : "-",
    judged ? (met ? "met" : "NOT MET") : "",
    requestRates(result),
    String(errors),
  ];
}

function showCompared({ comparison }: RatioLoad, { median, min, max }: Spread): string {
  const show = (value: number) => value.toFixed(comparison === "ratio" ? 2 : 0);
  return `${show(median)} (${show(min)} .. ${show(max)})`;
}

function showTarget({ comparison, unit, target }: RatioLoad): string {
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

export function notes(results: readonly LoadResult[]): string {
  const lines = ["compared: median of the pairs (lowest .. highest), smaller is better"];
  const figures = results.flatMap(({ pairs }) => pairs.flatMap(({ ours, bare }) => [ours, bare]));
  if (figures.some(({ driverBusy }) => (driverBusy ?? 0) >= saturated)) {
    lines.push("*: bounded by wrk, which used a whole CPU; the CPU time per request stands");
  }
  return `${lines.join("\n")}\n`;
}
