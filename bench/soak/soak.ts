/** `bun run bench soak`: minutes of mixed load while workers are reloaded and recycled; what fails, grows or slows down. */
import { renderSvg } from "../charts/svg.ts";
import { cleanUp } from "../clean-up.ts";
import { addErrors, countErrors, type Driver } from "../drivers/driver.ts";
import { driverFlag, selectDriver } from "../drivers/drivers.ts";
import { BenchError } from "../errors.ts";
import { loads } from "../loads/loads.ts";
import { readMachine, showMachine } from "../machine.ts";
import { measureTurn } from "../measure.ts";
import { type Options, readOptions, type Subcommand, workersFlag, workersOf } from "../options.ts";
import { childrenOf, residentBytesOf } from "../process-tree.ts";
import { Progress } from "../progress.ts";
import { commandLine, outFlag, ownVersion, record, resultPath, writeChart } from "../results.ts";
import { benchApp, gunicornTs } from "../servers/gunicorn-ts.ts";
import { freePort } from "../free-port.ts";
import { BenchServer } from "../servers/server.ts";
import { faultsOf, renderMixed, soakMixed } from "./mixed.ts";
import { panelsOf, renderSoak, seriesOf, type Soaked } from "./report.ts";

/** Between two looks at the memory. */
const sampleMs = 500;

interface Settings {
  readonly driver: Driver;
  readonly seconds: number;
  readonly segmentSeconds: number;
  readonly hupSeconds: number;
  readonly maxRequests: number;
  readonly workers: number;
}

export const soak: Subcommand = {
  name: "soak",
  description: "Mixed load for minutes, with HUPs and recycling: failures, memory, latency",
  flags: {
    driver: driverFlag,
    minutes: { type: "string", valueHint: "N", description: "How long", default: "10" },
    hup: { type: "string", valueHint: "S", description: "Seconds between HUPs", default: "20" },
    "max-requests": {
      type: "string",
      valueHint: "N",
      description: "After how many requests a worker is replaced",
      default: "50000",
    },
    clients: {
      type: "string",
      valueHint: "KIND",
      description: "fast: a load generator's; mixed: slow, leaving, streaming, with HUPs only",
      default: "fast",
    },
    workers: workersFlag,
    segment: { type: "string", valueHint: "S", description: "Seconds for a point", default: "5" },
    smoke: { type: "boolean", description: "Three seconds, two HUPs: shows that it works" },
    out: outFlag,
  },
  async run(words) {
    const options = readOptions(soak, words);
    const smoke = options.on("smoke");
    const clients = options.text("clients");
    if (clients !== "fast" && clients !== "mixed") {
      throw new BenchError(`--clients: must be fast or mixed, got ${clients}`);
    }
    if (clients === "mixed") return soakWithMixedClients(options);
    const settings: Settings = {
      driver: selectDriver(options.text("driver") ?? ""),
      seconds: smoke ? 3 : options.number("minutes") * 60,
      segmentSeconds: smoke ? 0.5 : options.number("segment"),
      hupSeconds: smoke ? 1.2 : options.number("hup"),
      maxRequests: smoke ? 2000 : options.integer("max-requests"),
      workers: workersOf(options),
    };
    const { driver } = settings;
    const versions = { ...ownVersion, [driver.name]: driver.detect() };
    const path = resultPath(soak.name, options);
    const soaked: Soaked = { segments: [], samples: [], hups: [], pids: new Set() };
    await record(
      {
        kind: soak.name,
        path,
        command: commandLine(soak.name, words),
        findings: () => ({
          versions,
          series: seriesOf(soaked),
          details: { ...soaked, pids: [...soaked.pids] },
        }),
        show() {
          const facts = showMachine(readMachine());
          console.log(`${facts}\n\n${renderSoak(soaked)}`);
          writeChart(path, renderSvg("Soak", facts, panelsOf(soaked)));
        },
      },
      () => run(settings, soaked),
    );
    const failed = countErrors(addErrors(soaked.segments.map(({ turn }) => turn.errors)));
    if (failed > 0) throw new BenchError(`${failed} requests failed`);
  },
};

/** No driver is needed: the clients are the bench's own. */
async function soakWithMixedClients(options: Options): Promise<void> {
  const smoke = options.on("smoke");
  const soaked = await soakMixed({
    seconds: smoke ? 3 : options.number("minutes") * 60,
    hupSeconds: smoke ? 1.2 : options.number("hup"),
    workers: workersOf(options),
  });
  console.log(`${showMachine(readMachine())}\n\n${renderMixed(soaked)}`);
  const faults = faultsOf(soaked);
  if (faults.length > 0) throw new BenchError(faults.join("\n"));
}

async function run(settings: Settings, soaked: Soaked): Promise<void> {
  const { driver, seconds, segmentSeconds, hupSeconds, maxRequests, workers } = settings;
  const mixed = loads.find(({ name }) => name === "mixed");
  if (mixed === undefined) throw new RangeError("no load mixed");
  const port = freePort();
  const jitter = ["--max-requests-jitter", String(Math.ceil(maxRequests / 10))];
  const words = ["--max-requests", String(maxRequests), ...jitter];
  const command = gunicornTs({ port, workers, app: benchApp(mixed.app), words });
  await using server = new BenchServer({ command, port });
  await server.answered();
  const begunMs = performance.now();
  const elapsed = () => (performance.now() - begunMs) / 1000;
  const sampler = setInterval(() => {
    const bytes = residentBytesOf(server.pid);
    soaked.samples.push({ seconds: elapsed(), bytes });
    for (const pid of childrenOf(server.pid)) soaked.pids.add(pid);
  }, sampleMs);
  const reloader = setInterval(() => {
    server.signal("SIGHUP");
    soaked.hups.push(elapsed());
  }, hupSeconds * 1000);
  const stop = cleanUp(() => {
    clearInterval(sampler);
    clearInterval(reloader);
  });
  const progress = new Progress(seconds);
  try {
    while (elapsed() < seconds) {
      const { length } = soaked.hups;
      progress.show(`mixed load, ${length} HUPs, ${soaked.pids.size} workers so far`);
      const from = elapsed();
      const turn = await measureTurn(driver, server, mixed.traffic, segmentSeconds);
      soaked.segments.push({ seconds: from, turn });
    }
  } finally {
    stop();
  }
  progress.end();
}
