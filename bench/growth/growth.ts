/** `bun run bench growth`: what a request costs when connections, fields, bodies or workers grow, beside a bare Bun.serve. */
import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { renderSvg } from "../charts/svg.ts";
import { docsFlag, readDocsPage } from "../docs-page.ts";
import { wrk } from "../drivers/wrk.ts";
import { BenchError } from "../errors.ts";
import { readMachine, showMachine } from "../machine.ts";
import { findMarkers, writeBetweenMarkers } from "../markers.ts";
import { readOptions, type Subcommand } from "../options.ts";
import { Progress } from "../progress.ts";
import { commandLine, outFlag, ownVersion, record, resultPath } from "../results.ts";
import type { Curve } from "./curve.ts";
import { curves } from "./curves.ts";
import { type Grown, panelsOf, renderGrown, seriesOf, type Visited } from "./report.ts";

/** Start, connections and warm-up of a server, beyond the seconds of a turn. */
const overheadSeconds = 2;

interface Settings {
  readonly curves: readonly Curve[];
  readonly rounds: number;
  readonly seconds: number;
}

export const growth: Subcommand = {
  name: "growth",
  description: "What a request costs as connections, fields, bodies and workers grow",
  flags: {
    only: {
      type: "string",
      multiple: true,
      valueHint: "NAME",
      description: `Only this curve, repeatable: ${curves.map(({ name }) => name).join(", ")}`,
    },
    rounds: { type: "string", valueHint: "N", description: "Turns at each value", default: "3" },
    seconds: { type: "string", valueHint: "S", description: "Length of a turn", default: "1" },
    "write-docs": {
      type: "boolean",
      description: "Put tables and charts between the markers of docs/benchmarks.md, and beside it",
    },
    docs: docsFlag,
    smoke: { type: "boolean", description: "Two values of each, short: shows that it works" },
    out: outFlag,
  },
  async run(words) {
    const options = readOptions(growth, words);
    const smoke = options.on("smoke");
    const page = readDocsPage(options);
    const chosen = options.select("only", curves) ?? curves;
    const settings: Settings = {
      curves: smoke ? chosen.map((curve) => ({ ...curve, xs: curve.xs.slice(0, 2) })) : chosen,
      rounds: smoke ? 1 : options.integer("rounds"),
      seconds: smoke ? 0.3 : options.number("seconds"),
    };
    // Before minutes are spent.
    for (const curve of settings.curves) {
      curve.check?.(curve.xs);
      if (page !== null) findMarkers(page, markerOf(curve));
    }
    const versions = { ...ownVersion, wrk: wrk.detect() };
    const grown: Grown[] = [];
    const command = commandLine(growth.name, words);
    const whole = () =>
      grown
        .map(({ curve, visited }) => ({ curve, visited: visited.filter(isMeasured) }))
        .filter(({ visited }) => visited.length > 0);
    await record(
      {
        kind: growth.name,
        path: resultPath(growth.name, options),
        command,
        findings: () => ({ versions, series: whole().flatMap(seriesOf), details: whole() }),
        show(partial) {
          if (whole().length === 0) return;
          const machine = showMachine(readMachine());
          for (const each of whole()) {
            const facts = factsOf(each, machine, settings);
            console.log(`## ${each.curve.title}\n\n${facts}\n\n${renderGrown(each)}`);
            if (page !== null && !partial) writeDocs(page, each, command, facts);
          }
        },
      },
      () => measureAll(settings, grown),
    );
  },
};

function markerOf({ name }: Curve): string {
  return `growth ${name}`;
}

function isMeasured({ ours, bare }: Visited): boolean {
  return ours.length > 0 && bare.length > 0;
}

function factsOf({ curve, visited }: Grown, machine: string, { seconds }: Settings): string {
  const turns =
    curve.once === true ? "measured once" : `medians of ${turnsOf(visited)} turns of ${seconds} s`;
  return `${today()}; ${machine}; ${turns}, beside a bare Bun.serve.`;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Of each value, before an interruption. */
function turnsOf(visited: readonly Visited[]): number {
  return Math.min(...visited.map(({ bare }) => bare.length));
}

/** The chart goes beside the page. */
function writeDocs(page: string, grown: Grown, command: string, facts: string): void {
  const { name, title, description } = grown.curve;
  const chart = join(dirname(page), `growth-${name}.svg`);
  const { cpus, bun } = readMachine();
  const subtitle = `${today()}, ${cpus} CPUs, Bun ${bun}; the page says more`;
  writeFileSync(chart, renderSvg(title, subtitle, panelsOf(grown)));
  const image = `![${title}: ${description}](${basename(chart)})`;
  const text = ["```sh", command, "```", "", facts, "", renderGrown(grown), image].join("\n");
  writeBetweenMarkers(page, markerOf(grown.curve), text);
}

/** Adds to `grown` as turns end, so that an interruption keeps them. */
async function measureAll(settings: Settings, grown: Grown[]): Promise<void> {
  const { seconds } = settings;
  const roundsOf = (curve: Curve) => (curve.once === true ? 1 : settings.rounds);
  const turns = settings.curves.reduce((sum, each) => sum + each.xs.length * 2 * roundsOf(each), 0);
  const progress = new Progress(turns * (seconds + overheadSeconds));
  for (const curve of settings.curves) {
    const visited = curve.xs.map((x): Visited => ({ x, ours: [], bare: [] }));
    grown.push({ curve, visited });
    try {
      await measureCurve(curve, visited, roundsOf(curve), seconds, progress);
    } catch (error) {
      // One curve that can't be measured doesn't cost the others.
      if (!(error instanceof BenchError)) throw error;
      console.error(`bench: ${curve.name}: ${error.message}`);
    }
  }
  progress.end();
}

async function measureCurve(
  curve: Curve,
  visited: readonly Visited[],
  rounds: number,
  seconds: number,
  progress: Progress,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    for (const { x, ours, bare } of visited) {
      progress.show(`${curve.name}: round ${round}, ${curve.showX(x)} ${curve.xName}`);
      ours.push(await curve.measure("gunicorn-ts", x, seconds));
      bare.push(await curve.measure("bare", x, seconds));
    }
  }
}
