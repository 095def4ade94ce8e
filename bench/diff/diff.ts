/** `bun run bench diff A B`: what has changed from one result to another beyond noise. */
import { BenchError } from "../errors.ts";
import { showMachine } from "../machine.ts";
import { readOptions, type Subcommand } from "../options.ts";
import { readResult, type ResultFile, type Series } from "../results.ts";
import { meanOf, medianOf, noiseOf } from "../statistics.ts";
import { renderColumns, showNumber } from "../tables.ts";

/** Less than this is never called a change, however quiet the machine was. */
const least = 0.02;

export interface Change {
  readonly name: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** after / before - 1. */
  readonly change: number;
  /** What chance may do to `change`. */
  readonly noise: number;
  readonly verdict: "better" | "worse" | "within noise" | "can't tell";
}

/** The series that both have, in the order of the first. */
export function compareSeries(before: readonly Series[], after: readonly Series[]): Change[] {
  return before.flatMap((old) => {
    const now = after.find(({ name }) => name === old.name);
    return now === undefined ? [] : [changeOf(old, now)];
  });
}

function changeOf(old: Series, now: Series): Change {
  // A few failures don't move a median of 0.
  const rare = medianOf(old.values) === 0 || medianOf(now.values) === 0;
  const middle = rare ? meanOf : medianOf;
  const [before, after] = [middle(old.values), middle(now.values)];
  // Nothing before and nothing after, errors for instance, is no change.
  const change = before === after ? 0 : after / before - 1;
  const noise = Math.hypot(noiseOf(old.values) / (before || 1), noiseOf(now.values) / (after || 1));
  const facts = { name: old.name, unit: old.unit, before, after, change, noise };
  // From nothing to anything, or back, is a change whatever the noise: failures, above all.
  if (before === 0 && after === 0) return { ...facts, verdict: "within noise" };
  if (before === 0 || after === 0) {
    return { ...facts, verdict: after > before === (old.better === "more") ? "better" : "worse" };
  }
  if (!Number.isFinite(noise) || !Number.isFinite(change))
    return { ...facts, verdict: "can't tell" };
  if (Math.abs(change) <= Math.max(noise, least)) return { ...facts, verdict: "within noise" };
  return { ...facts, verdict: change > 0 === (old.better === "more") ? "better" : "worse" };
}

export const diff: Subcommand = {
  name: "diff",
  description: "What has changed from one result file to another beyond noise",
  words: { name: "files", description: "Two result files: before and after" },
  flags: { all: { type: "boolean", description: "Also what hasn't changed" } },
  async run(words) {
    const options = readOptions(diff, words);
    const [first, second, ...more] = options.words;
    if (first === undefined || second === undefined || more.length > 0) {
      throw new BenchError("diff compares two files: bun run bench diff BEFORE AFTER");
    }
    const [before, after] = [readResult(first), readResult(second)];
    if (before.kind !== after.kind) {
      throw new BenchError(`${first} is of bench ${before.kind}, ${second} of bench ${after.kind}`);
    }
    console.log(render(before, after, options.on("all")));
  },
};

function render(before: ResultFile, after: ResultFile, all: boolean): string {
  const changes = compareSeries(before.series, after.series);
  const shown = changes.filter(({ verdict }) => all || verdict === "better" || verdict === "worse");
  const rows = shown.map(({ name, unit, before: old, after: now, change, noise, verdict }) => [
    name,
    `${showNumber(old)} -> ${showNumber(now)} ${unit}`,
    Number.isFinite(change) ? `${change > 0 ? "+" : ""}${(change * 100).toFixed(1)} %` : "from 0",
    Number.isFinite(noise) ? `+-${(noise * 100).toFixed(1)} %` : "one run only",
    verdict,
  ]);
  const heading = ["", `${day(before)} -> ${day(after)}`, "change", "noise", ""];
  const table = rows.length === 0 ? "" : `${renderColumns([heading, ...rows])}\n`;
  return table + notes(before, after, changes).join("\n");
}

function day({ begun }: ResultFile): string {
  return begun.slice(0, 16).replace("T", " ");
}

function notes(before: ResultFile, after: ResultFile, changes: readonly Change[]): string[] {
  const count = (wanted: Change["verdict"]) =>
    changes.filter(({ verdict }) => verdict === wanted).length;
  const lines = [
    `${count("better")} better, ${count("worse")} worse, ${count("within noise")} within noise, ${count("can't tell")} that one run can't tell.`,
  ];
  const alone = before.series.length + after.series.length - 2 * changes.length;
  if (alone > 0) lines.push(`${alone} series are in one of the files only.`);
  if (before.partial || after.partial) lines.push("A run was interrupted: some of it is missing.");
  const programs = ({ versions }: ResultFile) =>
    Object.entries(versions)
      .map((pair) => pair.join(" "))
      .sort()
      .join(", ");
  const differ = (what: string, one: string, other: string) => {
    if (one !== other) lines.push(`The ${what} differ: ${one}; ${other}.`);
  };
  differ("programs", programs(before), programs(after));
  differ("commands", settingsOf(before), settingsOf(after));
  const [old, now] = [showMachine(before.machine), showMachine(after.machine)];
  differ("machines", old, now);
  return lines;
}

/** The command without the place of its result, which is never the same. */
function settingsOf({ command }: ResultFile): string {
  return command.replace(/ --out(=| )('[^']*'|\S+)/, "");
}
