/** `bun run bench overload`: what becomes of an app that gets more than it can do, without shed_latency_ms and with it. */
import { mostPerSecond } from "../apps/busy.ts";
import { renderSvg } from "../charts/svg.ts";
import { BenchError } from "../errors.ts";
import { freePort } from "../free-port.ts";
import { readMachine, showMachine } from "../machine.ts";
import { readOptions, type Subcommand } from "../options.ts";
import { Progress } from "../progress.ts";
import { commandLine, outFlag, ownVersion, record, resultPath, writeChart } from "../results.ts";
import { benchApp, gunicornTs } from "../servers/gunicorn-ts.ts";
import { BenchServer } from "../servers/server.ts";
import { runOpenLoop } from "./open-loop.ts";
import { panelsOf, renderOverload, seriesOf, type Visited } from "./report.ts";

/** How long a client waits, as a browser's user does. */
const patienceMs = 1000;
const warmUpSeconds = 3;

interface Settings {
  readonly factors: readonly number[];
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly shedLatencyMs: number;
}

export const overload: Subcommand = {
  name: "overload",
  description:
    "What becomes of more requests than the app can do, without and with shed_latency_ms",
  flags: {
    factors: {
      type: "string",
      valueHint: "N,N",
      description: "Loads, in multiples of what one worker can do",
      default: "0.5,0.9,1.2,1.5,2,3",
    },
    seconds: { type: "string", valueHint: "S", description: "For each load", default: "6" },
    latency: { type: "string", valueHint: "MS", description: "shed_latency_ms", default: "50" },
    smoke: { type: "boolean", description: "Two seconds of one load: shows that it works" },
    out: outFlag,
  },
  async run(words) {
    const options = readOptions(overload, words);
    const smoke = options.on("smoke");
    const settings: Settings = {
      factors: smoke ? [2] : readFactors(options.text("factors") ?? ""),
      seconds: smoke ? 1 : options.number("seconds"),
      warmUpSeconds: smoke ? 1 : warmUpSeconds,
      shedLatencyMs: options.integer("latency"),
    };
    const { shedLatencyMs } = settings;
    const path = resultPath(overload.name, options);
    const visited: Visited[] = [];
    await record(
      {
        kind: overload.name,
        path,
        command: commandLine(overload.name, words),
        findings: () => ({
          versions: ownVersion,
          series: seriesOf(visited, shedLatencyMs),
          details: visited.map(({ turn, ...each }) => ({
            ...each,
            turn: { ...turn, latenciesMs: turn.latenciesMs.length },
          })),
        }),
        show() {
          const facts = showMachine(readMachine());
          console.log(`${facts}\n\n${renderOverload(visited, shedLatencyMs)}`);
          writeChart(path, renderSvg("Overload", facts, panelsOf(visited, shedLatencyMs)));
        },
      },
      () => run(settings, visited),
    );
  },
};

function readFactors(text: string): number[] {
  const factors = text.split(",").map(Number);
  if (factors.every((factor) => factor > 0 && Number.isFinite(factor))) return factors;
  throw new BenchError(`--factors: must be numbers above 0, with commas, got ${text}`);
}

async function run(settings: Settings, visited: Visited[]): Promise<void> {
  const { factors, seconds, shedLatencyMs } = settings;
  const turns = factors.flatMap((factor) => [false, true].map((sheds) => ({ factor, sheds })));
  const turnSeconds = seconds + settings.warmUpSeconds + patienceMs / 1000;
  const progress = new Progress(turns.length * turnSeconds);
  for (const { factor, sheds } of turns) {
    progress.show(`${factor} x, ${sheds ? "with" : "without"}`);
    const port = freePort();
    const words = sheds ? ["--shed-latency-ms", String(shedLatencyMs)] : [];
    const command = gunicornTs({ port, workers: 1, app: benchApp("busy"), words });
    // A server of its own: what waits for one is left behind.
    await using server = new BenchServer({ command, port, audible: false });
    await server.answered();
    const turn = await runOpenLoop({
      port,
      perSecond: factor * mostPerSecond,
      warmUpSeconds: settings.warmUpSeconds,
      seconds,
      patienceMs,
    });
    visited.push({ factor, sheds, seconds, turn });
  }
  progress.end();
}
