/** `bun run bench ratio`: the table of ratios of paired turns against a bare Bun.serve. */
import { wrk } from "../drivers/wrk.ts";
import { BenchError } from "../errors.ts";
import { readMachine, showMachine } from "../machine.ts";
import { type Options, readOptions, type Subcommand } from "../options.ts";
import { Progress } from "../progress.ts";
import {
  commandLine,
  type Findings,
  outFlag,
  ownVersion,
  record,
  resultPath,
  type Series,
} from "../results.ts";
import { checkoutAt } from "../servers/gunicorn-ts.ts";
import { type RatioLoad, ratioLoads } from "./loads.ts";
import { comparePair, type LoadResult, type Pair, runPairs } from "./pairs.ts";
import { notes, renderTable } from "./report.ts";
import { nameOf, type Side } from "./sides.ts";

/** Beyond the seconds of a turn: start and warm-up of its server. */
const overheadSeconds = 5;

export const ratioFlags = {
  load: {
    type: "string",
    multiple: true,
    valueHint: "NAME",
    description: `Only this load, repeatable: ${ratioLoads.map(({ name }) => name).join(", ")}`,
  },
  pairs: { type: "string", valueHint: "N", description: "Pairs of turns per load", default: "5" },
  seconds: { type: "string", valueHint: "S", description: "Length of a turn", default: "3" },
  against: {
    type: "string",
    valueHint: "CHECKOUT",
    description: "Hold this version beside that of another checkout, in place of Bun.serve",
  },
  smoke: { type: "boolean", description: "One short pair: shows that it works" },
  out: outFlag,
} as const;

export interface RatioOptions {
  readonly loads: readonly RatioLoad[];
  readonly pairs: number;
  readonly seconds: number;
  /** What ours is held beside. */
  readonly other: Side;
}

/** Throws BenchError for what can't be measured. */
export function readRatioOptions(options: Options): RatioOptions {
  const chosen = options.select("load", ratioLoads) ?? ratioLoads;
  const other = readOther(options.text("against"));
  if (options.on("smoke")) return { loads: chosen, pairs: 1, seconds: 0.3, other };
  const [pairs, seconds] = [options.integer("pairs"), options.number("seconds")];
  return { loads: chosen, pairs, seconds, other };
}

function readOther(against: string | null): Side {
  return against === null ? "bare" : { checkout: checkoutAt(against) };
}

export const ratio: Subcommand = {
  name: "ratio",
  description: "CPU time per request beside a bare Bun.serve",
  flags: ratioFlags,
  async run(words) {
    const options = readOptions(ratio, words);
    const chosen = readRatioOptions(options);
    const versions = { ...ownVersion, wrk: wrk.detect() };
    const results: LoadResult[] = [];
    await record(
      {
        kind: ratio.name,
        path: resultPath(ratio.name, options),
        command: commandLine(ratio.name, words),
        findings: (): Findings => ({
          versions,
          series: ratioSeries(results, chosen.other),
          details: results,
        }),
        show: () => printRatios(chosen, results),
      },
      () => measureRatios(chosen, results),
    );
  },
};

/** How long it takes, as far as one can know. */
export function ratioSeconds({ loads, pairs, seconds }: RatioOptions): number {
  return loads.length * pairs * 2 * (seconds + overheadSeconds);
}

/** Adds to `results` as they come, so that an interruption keeps them. */
export async function measureRatios(options: RatioOptions, results: LoadResult[]): Promise<void> {
  const { loads, pairs } = options;
  const progress = new Progress(ratioSeconds(options));
  for (const load of loads) {
    const kept: Pair[] = [];
    results.push({ load, pairs: kept });
    try {
      await runPairs(load, options, kept, (number, side) => {
        progress.show(`${load.name}: pair ${number} of ${pairs}, ${nameOf(side)}`);
      });
    } catch (error) {
      // One load that can't be measured doesn't cost the others.
      if (!(error instanceof BenchError)) throw error;
      console.error(`bench: ${load.name}: ${error.message}`);
    }
  }
  progress.end();
}

export function ratioSeries(results: readonly LoadResult[], other: Side = "bare"): Series[] {
  return measured(results).flatMap(({ load, pairs }) => {
    const values = pairs.map((pair) => comparePair(load, pair));
    const unit = load.comparison === "ratio" ? `x ${otherOf(load, other)}` : `${load.unit} more`;
    return [
      { name: `${load.name}: compared`, unit, better: "less" as const, values },
      {
        name: `${load.name}: gunicorn-ts`,
        unit: load.unit,
        better: "less" as const,
        values: pairs.map(({ ours }) => ours.value),
      },
    ];
  });
}

/** A checkout is the other side of all, also of what has no Bun.serve there. */
function otherOf({ beside }: RatioLoad, other: Side): string {
  return other === "bare" ? (beside ?? "Bun.serve") : nameOf(other);
}

export function printRatios(options: RatioOptions, all: readonly LoadResult[]): void {
  const { pairs, seconds, other } = options;
  const results = measured(all);
  if (results.length === 0) return;
  console.log(`${showMachine(readMachine())}; ${pairs} pairs, ${seconds} s each\n`);
  console.log(`${renderTable(results, other)}\n${notes(results)}`);
}

function measured(results: readonly LoadResult[]): readonly LoadResult[] {
  return results.filter(({ pairs }) => pairs.length > 0);
}
