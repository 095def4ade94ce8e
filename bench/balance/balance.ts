/** `bun run bench balance`: how evenly new connections are spread over the workers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUp } from "../clean-up.ts";
import { freePort } from "../free-port.ts";
import { readMachine, showMachine } from "../machine.ts";
import { readOptions, type Subcommand } from "../options.ts";
import { Progress } from "../progress.ts";
import { commandLine, outFlag, ownVersion, record, resultPath } from "../results.ts";
import { benchApp, checkoutAt, gunicornTs, ownCheckout } from "../servers/gunicorn-ts.ts";
import { BenchServer } from "../servers/server.ts";
import { spreadOf } from "../statistics.ts";
import { renderColumns, showNumber } from "../tables.ts";
import { busiest, countsOf, firstBesideOthers, type Place, visitAll } from "./visits.ts";

const workers = 4;

/** What earlier tries have told the server is over by then. */
const restMs = 700;

/** One worker blocked: so many connections, each with one request, at this pace. */
const blockedVisits = 400;
const blockedGapMs = 5;

interface Row {
  readonly name: string;
  readonly unix: boolean;
  readonly connections: number;
  readonly withinMs: number;
}

const rows: readonly Row[] = [
  { name: "16 in a burst, TCP", unix: false, connections: 16, withinMs: 0 },
  { name: "64 within 2 s, TCP", unix: false, connections: 64, withinMs: 2000 },
  { name: "16 in a burst, unix", unix: true, connections: 16, withinMs: 0 },
  { name: "64 within 2 s, unix", unix: true, connections: 64, withinMs: 2000 },
];

const blockedPart = "one blocked half of the time, TCP: its connections / the others'";
const blockedP99 = "one blocked half of the time, TCP: p99 of all, ms";

/** By checkout and by row. */
type Figures = Map<string, Map<string, number[]>>;

interface Side {
  readonly checkout: string;
  readonly places: Readonly<Record<"tcp" | "unix", Place>>;
  readonly server: BenchServer;
}

export const balance: Subcommand = {
  name: "balance",
  description: `How evenly new connections are spread over ${workers} workers: the busiest beside the mean`,
  flags: {
    tries: { type: "string", valueHint: "N", description: "Tries of each row", default: "20" },
    against: {
      type: "string",
      valueHint: "CHECKOUT",
      description: "Another version beside this one, in turns",
    },
    smoke: { type: "boolean", description: "One try: shows that it works" },
    out: outFlag,
  },
  async run(words) {
    const options = readOptions(balance, words);
    const against = options.text("against");
    const checkouts = [ownCheckout, ...(against === null ? [] : [checkoutAt(against)])];
    const tries = options.on("smoke") ? 1 : options.integer("tries");
    const figures: Figures = new Map(checkouts.map((each) => [each, new Map<string, number[]>()]));
    await record(
      {
        kind: balance.name,
        path: resultPath(balance.name, options),
        command: commandLine(balance.name, words),
        findings: () => ({
          versions: ownVersion,
          series: [...(figures.get(ownCheckout) ?? [])].map(([name, values]) => ({
            name,
            unit: name === blockedP99 ? "ms" : "x",
            better: "less" as const,
            values,
          })),
          details: Object.fromEntries(
            [...figures].map(([name, each]) => [name, Object.fromEntries(each)]),
          ),
        }),
        show: () =>
          console.log(`${showMachine(readMachine())}\n\n${renderColumns(tableOf(figures))}`),
      },
      () => measure(figures, tries),
    );
  },
};

async function measure(figures: Figures, tries: number): Promise<void> {
  const seconds = rows.reduce((sum, row) => sum + (row.withinMs + restMs) / 1000, 0);
  const blockedSeconds = (blockedVisits * blockedGapMs + restMs) / 1000;
  const progress = new Progress(tries * figures.size * (seconds + blockedSeconds));
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-balance-"));
  cleanUp(() => rmSync(folder, { recursive: true, force: true }));
  const checkouts = [...figures.keys()];
  for (const blocked of [false, true]) {
    const sides = await Promise.all(checkouts.map((each) => startSide(each, folder, blocked)));
    for (let number = 1; number <= tries; number += 1) {
      for (const side of number % 2 === 0 ? sides : sides.toReversed()) {
        progress.show(`try ${number} of ${tries}, ${side.checkout}`);
        const add = (row: string, value: number) => note(figures, side.checkout, row, value);
        if (blocked) await tryBlocked(side, add);
        else for (const row of rows) await tryRow(side, row, add);
      }
    }
    for (const { server } of sides) await server[Symbol.asyncDispose]();
  }
  progress.end();
}

async function startSide(checkout: string, folder: string, blocked: boolean): Promise<Side> {
  const port = freePort();
  const path = join(folder, `${port}.sock`);
  const command = gunicornTs({
    port,
    workers,
    app: benchApp("whose"),
    checkout,
    words: ["-b", `unix:${path}`],
  });
  const env = blocked ? { BLOCKED: "1" } : {};
  const server = new BenchServer({ command, port, env });
  await server.answered();
  const places = { tcp: { hostname: "127.0.0.1", port }, unix: { unix: path } } as const;
  const side = { checkout, places, server };
  // Until all workers serve.
  for (const place of Object.values(places)) {
    for (;;) {
      const visits = await visitAll(place, 64, 0);
      for (const { leave } of visits) leave();
      if (countsOf(visits, workers).every((count) => count > 0)) break;
    }
  }
  return side;
}

async function tryRow(
  { places }: Side,
  { name, unix, connections, withinMs }: Row,
  add: (row: string, value: number) => void,
): Promise<void> {
  await Bun.sleep(restMs);
  const place = unix ? places.unix : places.tcp;
  const visits = await visitAll(place, connections, withinMs / connections);
  add(name, busiest(countsOf(visits, workers)));
  for (const { leave } of visits) leave();
}

async function tryBlocked(
  { places }: Side,
  add: (row: string, value: number) => void,
): Promise<void> {
  await Bun.sleep(restMs);
  const visits = await visitAll(places.tcp, blockedVisits, blockedGapMs);
  add(blockedPart, firstBesideOthers(countsOf(visits, workers)));
  const latencies = visits.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  add(blockedP99, latencies[Math.floor(latencies.length * 0.99)] ?? 0);
  for (const { leave } of visits) leave();
}

function note(figures: Figures, checkout: string, row: string, value: number): void {
  const ofSide = figures.get(checkout) ?? new Map<string, number[]>();
  ofSide.set(row, [...(ofSide.get(row) ?? []), value]);
}

/** Medians, and the range. */
function tableOf(figures: Figures): string[][] {
  const names = [...(figures.values().next().value?.keys() ?? [])];
  const heading = ["", ...[...figures.keys()].map((checkout) => checkout)];
  return [
    heading,
    ...names.map((name) => [
      name,
      ...[...figures.values()].map((ofSide) => {
        const values = ofSide.get(name) ?? [];
        if (values.length === 0) return "-";
        const { median, min, max } = spreadOf(values);
        return `${showNumber(median)} (${showNumber(min)} .. ${showNumber(max)})`;
      }),
    ]),
  ];
}
