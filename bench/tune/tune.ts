/** `bun run bench tune [MODULE:EXPORT]`: how many workers an app, or each built-in load, needs on this machine. */
import { cpus as processors } from "node:os";
import { renderSvg } from "../charts/svg.ts";
import { type Driver, plainTraffic } from "../drivers/driver.ts";
import { driverFlag, selectDriver } from "../drivers/drivers.ts";
import { BenchError } from "../errors.ts";
import type { Load } from "../loads/load.ts";
import { loadFlag, loads } from "../loads/loads.ts";
import { readMachine, showMachine } from "../machine.ts";
import { type Options, readOptions, type Subcommand } from "../options.ts";
import { Progress } from "../progress.ts";
import { commandLine, outFlag, ownVersion, record, resultPath, writeChart } from "../results.ts";
import { Facilities } from "../servers/facilities.ts";
import { benchApp, gunicornTs, gunicornTsFeature } from "../servers/gunicorn-ts.ts";
import { freePort } from "../free-port.ts";
import { BenchServer, type ServerCommand } from "../servers/server.ts";
import { probeLatency } from "./probe.ts";
import { guideline, recommend } from "./recommend.ts";
import { ordered, panelsOf, renderTuned, seriesOf } from "./report.ts";
import { type Collected, ladder, runSweeps } from "./sweep.ts";
import { badCount, countsToVerify, renderVerified, type Verified, verify } from "./verify.ts";

/** What is tuned: a load, and the app that serves it. */
interface Target {
  readonly load: Load;
  readonly app: string;
}

interface Tuning {
  readonly load: Load;
  readonly steps: Collected[];
  readonly checks: Collected[];
}

interface Settings {
  readonly driver: Driver;
  readonly cpus: number;
  readonly counts: readonly number[];
  /** The counts were asked for: none is left out. */
  readonly explicit: boolean;
  readonly sweeps: number;
  /** For all targets together, verification apart. */
  readonly budgetSeconds: number;
  readonly verify: boolean;
  readonly workerClass: string;
  readonly words: readonly string[];
  /** The app is the caller's own: it runs in the caller's folder, with the caller's environment. */
  readonly own: boolean;
}

export const tune: Subcommand = {
  name: "tune",
  description: "Finds the number of workers that an app, or each built-in load, needs here",
  words: {
    name: "app",
    description: "MODULE:EXPORT; without it the built-in loads. Words behind -- go to gunicorn-ts",
  },
  flags: {
    driver: driverFlag,
    load: loadFlag,
    path: { type: "string", description: "The path to ask the app for", default: "/" },
    "worker-class": { type: "string", description: "async or serve", default: "async" },
    counts: { type: "string", valueHint: "N,N", description: "The numbers of workers to try" },
    budget: {
      type: "string",
      valueHint: "S",
      description: "Seconds for all of it (165; an app 60)",
    },
    verify: { type: "boolean", description: "Then hold the recommended number against others" },
    smoke: { type: "boolean", description: "One short sweep of one load: shows that it works" },
    out: outFlag,
  },
  async run(words) {
    const options = readOptions(tune, words);
    const targets = targetsOf(options);
    const settings = settingsOf(options, targets);
    const { cpus, driver } = settings;
    const versions = { ...ownVersion, [driver.name]: driver.detect() };
    const path = resultPath(tune.name, options);
    const tunings: Tuning[] = [];
    const done = () => tunings.filter(({ steps }) => steps.length > 0);
    await record(
      {
        kind: tune.name,
        path,
        command: commandLine(tune.name, words),
        findings: () => ({
          versions,
          series: done().flatMap((each) => seriesOf(named(each))),
          details: {
            driver: driver.name,
            guideline: guideline(cpus),
            loads: done().map((each) => detailsOf(each, cpus)),
          },
        }),
        show: (partial) => show(done(), cpus, partial ? null : path),
      },
      () => tuneAll(targets, settings, tunings),
    );
  },
};

function targetsOf(options: Options): Target[] {
  const [app, ...more] = options.words;
  if (more.length > 0) throw new BenchError(`one app at a time, got ${options.words.join(" ")}`);
  if (app !== undefined) {
    if (options.select("load", loads) !== null) {
      throw new BenchError("--load is for the built-in loads; an app is asked for --path");
    }
    const traffic = { ...plainTraffic, paths: [options.text("path") ?? "/"] };
    const load = { app, traffic, name: app, description: "", feature: null, tuned: true };
    return [{ app, load: { ...load, badWorkers: "too many" } }];
  }
  const unasked = loads.filter(({ tuned }) => tuned);
  const chosen =
    options.select("load", loads) ?? (options.on("smoke") ? unasked.slice(0, 1) : unasked);
  return chosen.map((load) => ({ load, app: benchApp(load.app) }));
}

function settingsOf(options: Options, targets: readonly Target[]): Settings {
  const cpus = processors().length;
  const smoke = options.on("smoke");
  const given = options.text("counts")?.split(",").map(Number);
  if (given?.some((count) => !Number.isInteger(count) || count < 1)) {
    throw new BenchError(`--counts: must be numbers above 0, got ${options.text("counts")}`);
  }
  const builtIn = options.words.length === 0;
  const usual = smoke ? targets.length : builtIn ? 165 : 60;
  return {
    driver: selectDriver(options.text("driver") ?? ""),
    cpus,
    explicit: given !== undefined,
    counts: given !== undefined ? [...new Set(given)] : smoke ? [1, 2] : ladder(cpus),
    sweeps: smoke ? 1 : 4,
    budgetSeconds: options.text("budget") === null ? usual : options.number("budget"),
    verify: options.on("verify"),
    workerClass: options.text("worker-class") ?? "async",
    words: options.rest,
    own: !builtIn,
  };
}

async function tuneAll(targets: readonly Target[], settings: Settings, tunings: Tuning[]) {
  const { budgetSeconds, driver } = settings;
  const progress = new Progress(budgetSeconds * (settings.verify ? 2 : 1));
  await using facilities = await Facilities.open();
  for (const { load, app } of targets) {
    const refusal = driver.refuses(load.traffic);
    const feature = gunicornTsFeature(load.feature, facilities);
    if (refusal !== null || "cannot" in feature) {
      console.log(`${load.name}: ${refusal ?? ("cannot" in feature ? feature.cannot : "")}.\n`);
      continue;
    }
    const tuning: Tuning = { load, steps: [], checks: [] };
    tunings.push(tuning);
    const { workerClass, own } = settings;
    // The caller's words come last, so that they overrule.
    const words = ["--chdir", process.cwd(), ...feature.words, ...settings.words];
    const port = freePort();
    const command = gunicornTs({ port, workers: 1, app, workerClass, words });
    const scheme = load.feature === "TLS" ? "https" : "http";
    await using server = new BenchServer({ command, port, scheme, ...(own ? surroundings() : {}) });
    await server.answered(load.traffic.paths[0]);
    const latencySeconds = await probeLatency(server.url, load.traffic);
    const visit = (what: string) => (sweep: number, workers: number) =>
      progress.show(`${load.name}: ${what} ${sweep + 1} of ${settings.sweeps}, ${workers} workers`);
    const shared = { driver, server, load, sweeps: settings.sweeps, latencySeconds };
    const perLoad = budgetSeconds / targets.length;
    const marked = new Set([settings.cpus, guideline(settings.cpus)]);
    const always = settings.counts.filter((count) => settings.explicit || marked.has(count));
    const sweep = { ...shared, counts: settings.counts, budgetSeconds: perLoad, always };
    const done = await runSweeps({ ...sweep, onVisit: visit("sweep") }, tuning.steps);
    if (done < settings.sweeps) {
      console.error(
        `\nbench: ${load.name}: ${perLoad.toFixed(0)} s were enough for ${done} of ${settings.sweeps} sweeps; a longer --budget tells more`,
      );
    }
    if (!settings.verify) continue;
    const counts = countsToVerify(recommend(tuning.steps).workers, badCount(load, settings.cpus));
    const check = { ...shared, counts, always: counts, budgetSeconds: perLoad };
    await runSweeps({ ...check, onVisit: visit("verification") }, tuning.checks);
  }
  progress.end();
}

/** A server of the caller's own app sees what the app sees when the caller starts it. */
function surroundings(): Pick<ServerCommand, "cwd" | "env"> {
  const given = Object.entries(process.env).filter(([, value]) => value !== undefined);
  return { cwd: process.cwd(), env: Object.fromEntries(given) as Record<string, string> };
}

function named({ load, steps }: Tuning) {
  return { name: load.name, steps: complete(steps) };
}

/** A sweep that was interrupted counts for nobody. */
function complete(steps: readonly Collected[]): Collected[] {
  const sweeps = Math.max(1, Math.min(...steps.map(({ visits }) => visits.length)));
  return ordered(steps).map((step) => ({
    workers: step.workers,
    visits: step.visits.slice(0, sweeps),
  }));
}

function verified({ load, steps, checks }: Tuning, cpus: number): readonly Verified[] | null {
  const { workers } = recommend(complete(steps));
  const wanted = countsToVerify(workers, badCount(load, cpus));
  if (!wanted.every((count) => checks.some((step) => step.workers === count))) return null;
  return verify(complete(checks), workers);
}

function detailsOf(tuning: Tuning, cpus: number) {
  const steps = complete(tuning.steps);
  const { workers, best, judged } = recommend(steps);
  return {
    load: tuning.load.name,
    recommended: workers,
    best,
    judged,
    steps,
    verified: verified(tuning, cpus),
  };
}

function show(tunings: readonly Tuning[], cpus: number, path: string | null): void {
  if (tunings.length === 0) return;
  const facts = showMachine(readMachine());
  console.log(`${facts}\n`);
  for (const tuning of tunings) {
    console.log(renderTuned(named(tuning), cpus));
    const checked = verified(tuning, cpus);
    if (checked === null) continue;
    const { workers } = recommend(complete(tuning.steps));
    console.log(renderVerified(checked, workers, badCount(tuning.load, cpus)));
  }
  const panels = tunings.flatMap((tuning) => panelsOf(named(tuning), cpus));
  writeChart(path, renderSvg("How many workers?", facts, panels));
}
