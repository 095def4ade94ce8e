/** `bun run bench ratio`: the table of ratios of paired turns against a bare Bun.serve. */
import { parseArgs } from "node:util";
import { type ArgsDef, defineCommand } from "citty";
import { cleanUp } from "./clean-up.ts";
import { BenchError } from "./errors.ts";
import { type Load, loads } from "./loads.ts";
import { type LoadResult, runPairs } from "./pairs.ts";
import { machineFacts, notes, renderTable } from "./report.ts";
import { findWrk } from "./wrk.ts";

const defaults = { pairs: "5", seconds: "3" };

const args: ArgsDef = {
  load: {
    type: "string",
    valueHint: "NAME",
    description: `Only this load, repeatable: ${loads.map(({ name }) => name).join(", ")}`,
  },
  pairs: {
    type: "string",
    valueHint: "N",
    description: "Pairs of turns per load",
    default: defaults.pairs,
  },
  seconds: {
    type: "string",
    valueHint: "S",
    description: "Length of a turn",
    default: defaults.seconds,
  },
  smoke: { type: "boolean", description: "One pair of half a second: shows that it works" },
};

export const ratio = defineCommand({
  meta: { name: "ratio", description: "CPU time per request beside a bare Bun.serve" },
  args,
  run: ({ rawArgs }) => run(readOptions(rawArgs)),
});

export interface RatioOptions {
  readonly loads: readonly Load[];
  readonly pairs: number;
  readonly seconds: number;
}

/** citty describes the flags and takes any; these are read strictly. */
export function readOptions(words: readonly string[]): RatioOptions {
  const { load: names, pairs, seconds, smoke } = parse(words);
  if (smoke === true) return { loads: selectLoads(names), pairs: 1, seconds: 0.5 };
  return {
    loads: selectLoads(names),
    pairs: positive("pairs", pairs ?? defaults.pairs, Number.isInteger),
    seconds: positive("seconds", seconds ?? defaults.seconds, Number.isFinite),
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      strict: true,
      options: {
        load: { type: "string", multiple: true },
        pairs: { type: "string" },
        seconds: { type: "string" },
        smoke: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    // ERR_PARSE_ARGS_*: a flag or word that isn't known, or a missing value.
    if (error instanceof TypeError) throw new BenchError(error.message, { cause: error });
    throw error;
  }
}

function selectLoads(names: readonly string[] | undefined): readonly Load[] {
  if (names === undefined) return loads;
  return names.map((name) => {
    const load = loads.find((candidate) => candidate.name === name);
    if (load !== undefined) return load;
    const known = loads.map((candidate) => candidate.name).join(", ");
    throw new BenchError(`--load: must be one of ${known}, got ${name}`);
  });
}

function positive(flag: string, text: string, fits: (value: number) => boolean): number {
  const value = Number(text);
  if (text.trim() === "" || !fits(value) || value <= 0) {
    throw new BenchError(`--${flag}: must be a number above 0, got ${text}`);
  }
  return value;
}

async function run(options: RatioOptions): Promise<void> {
  findWrk();
  const results: LoadResult[] = [];
  // However it ends, it shows what it has.
  const report = cleanUp(() => print(options, results));
  try {
    for (const load of options.loads) {
      const result = await runPairs(load, options, (number, side) => {
        progress(`${load.name}: pair ${number} of ${options.pairs}, ${side}`);
      });
      results.push(result);
    }
  } finally {
    report();
  }
}

function print({ pairs, seconds }: RatioOptions, results: readonly LoadResult[]): void {
  progress("");
  if (results.length === 0) return;
  console.log(`${machineFacts()}; ${pairs} pairs, ${seconds} s each\n`);
  console.log(`${renderTable(results)}\n${notes(results)}`);
}

/** One line that the next one replaces; nothing where nobody watches. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
