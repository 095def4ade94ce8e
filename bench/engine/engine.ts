/** `bun run bench engine`: parser and serialiser alone, and the table of ratios of docs/design.md. */
import { join } from "node:path";
import { cleanUp } from "../clean-up.ts";
import { wrk } from "../drivers/wrk.ts";
import { BenchError } from "../errors.ts";
import { readMachine, showMachine } from "../machine.ts";
import { readOptions, type Subcommand } from "../options.ts";
import { Progress } from "../progress.ts";
import type { LoadResult } from "../ratio/pairs.ts";
import {
  measureRatios,
  printRatios,
  ratioFlags,
  ratioSeconds,
  ratioSeries,
  readRatioOptions,
} from "../ratio/ratio.ts";
import { commandLine, ownVersion, record, resultPath, type Series } from "../results.ts";
import { spreadOf } from "../statistics.ts";
import { renderColumns } from "../tables.ts";
import { head } from "./browser-head.ts";
import { type EngineRow, engineRows } from "./rows.ts";

interface Timed {
  readonly row: EngineRow;
  /** Nanoseconds per request, one for each round. */
  readonly ns: readonly number[];
}

interface Effort {
  readonly rounds: number;
  readonly runs: number;
  /** Without garbage collection: more would fill the memory. */
  readonly countedRuns: number;
}

const full: Effort = { rounds: 10, runs: 20_000, countedRuns: 20_000 };
const short: Effort = { rounds: 2, runs: 200, countedRuns: 200 };

/** For all rows, on a machine of 2024. */
const rowsSeconds = 10;

export const engine: Subcommand = {
  name: "engine",
  description:
    "Parser and serialiser alone: ns and bytes per request; then the ratios to Bun.serve",
  flags: {
    ...ratioFlags,
    alone: { type: "boolean", description: "Without the ratios, which take minutes" },
  },
  async run(words) {
    const options = readOptions(engine, words);
    const effort = options.on("smoke") ? short : full;
    const ratioOptions = readRatioOptions(options);
    const alone = options.on("alone");
    if (!alone) wrk.detect();
    const timed: Timed[] = [];
    const bytes: number[] = [];
    const ratios: LoadResult[] = [];
    await record(
      {
        kind: engine.name,
        path: resultPath(engine.name, options),
        command: commandLine(engine.name, words),
        findings: () => ({
          versions: ownVersion,
          series: [...seriesOf(timed, bytes), ...ratioSeries(ratios)],
          details: { headBytes: head.length, ratios },
        }),
        show() {
          if (timed.length === 0) return;
          console.log(`${showMachine(readMachine())}\n\n${render(timed, bytes)}`);
          printRatios(ratioOptions, ratios);
        },
      },
      async () => {
        const progress = new Progress(rowsSeconds + (alone ? 0 : ratioSeconds(ratioOptions)));
        for (const row of engineRows()) {
          progress.show(row.name);
          timed.push({ row, ns: timeRow(row, effort) });
        }
        progress.show("bytes per request");
        bytes.push(...(await countBytes(effort)));
        progress.end();
        if (!alone) await measureRatios(ratioOptions, ratios);
      },
    );
  },
};

function timeRow({ run, count }: EngineRow, { rounds, runs }: Effort): number[] {
  return Array.from({ length: rounds }, () => {
    const begun = Bun.nanoseconds();
    for (let each = 0; each < runs; each++) run();
    return (Bun.nanoseconds() - begun) / runs / count;
  });
}

/** In a process of its own, that never collects garbage. */
async function countBytes({ countedRuns }: Effort): Promise<number[]> {
  const script = join(import.meta.dir, "count-bytes.ts");
  const counter = Bun.spawn([process.execPath, script, String(countedRuns)], {
    env: { PATH: process.env["PATH"], BUN_JSC_useGC: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = cleanUp(() => counter.kill("SIGKILL"));
  const output = await new Response(counter.stdout).text();
  const code = await counter.exited;
  stop();
  if (code !== 0) throw new BenchError(`counting bytes ended with exit code ${code}`);
  return JSON.parse(output) as number[];
}

function seriesOf(timed: readonly Timed[], bytes: readonly number[]): Series[] {
  return timed.flatMap(({ row, ns }, index) => {
    const counted = bytes[index];
    const time = { name: row.name, unit: "ns", better: "less" as const, values: ns };
    if (counted === undefined) return [time];
    return [time, { ...time, name: `${row.name}: allocated`, unit: "bytes", values: [counted] }];
  });
}

function render(timed: readonly Timed[], bytes: readonly number[]): string {
  const rows = timed.map(({ row, ns }, index) => {
    const { median, min } = spreadOf(ns);
    const allocated = bytes[index];
    return [
      row.whose,
      row.name,
      `${min.toFixed(0)} ns`,
      `${median.toFixed(0)} ns`,
      allocated === undefined ? "-" : `${Math.max(0, allocated).toFixed(0)} bytes`,
    ];
  });
  const heading = ["", `a head of ${head.length} bytes`, "best", "median", "allocated"];
  return renderColumns([heading, ...rows]);
}
