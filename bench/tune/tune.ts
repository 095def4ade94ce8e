/** `bun run bench tune [MODULE:EXPORT]`: how many workers an app, or each built-in load, needs on this machine. */
import { writeFileSync } from "node:fs";
import { cpus as processors } from "node:os";
import { renderSvg } from "../charts/svg.ts";
import { type Driver, plainTraffic } from "../drivers/driver.ts";
import { driverFlag, selectDriver } from "../drivers/drivers.ts";
import { BenchError } from "../errors.ts";
import { type Load, loadFlag, loads } from "../loads/loads.ts";
import { readMachine, showMachine } from "../machine.ts";
import { type Options, readOptions, type Subcommand } from "../options.ts";
import { Progress } from "../progress.ts";
import { commandLine, outFlag, ownVersion, record, resultPath } from "../results.ts";
import { Facilities } from "../servers/facilities.ts";
import { benchApp, gunicornTs, gunicornTsFeature } from "../servers/gunicorn-ts.ts";
import { BenchServer, freePort } from "../servers/server.ts";
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
  readonly sweeps: number;
  /** For all targets together, verification apart. */
  readonly budgetSeconds: number;
  readonly verify: boolean;
  readonly workerClass: string;
  readonly words: readonly string[];
  readonly chdir: string;
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
    counts: given ?? (smoke ? [1, 2] : ladder(cpus)),
    sweeps: smoke ? 1 : 4,
    budgetSeconds: options.text("budget") === null ? usual : options.number("budget"),
    verify: options.on("verify"),
    workerClass: options.text("worker-class") ?? "async",
    words: options.rest,
    chdir: process.cwd(),
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
    const { workerClass, chdir } = settings;
    const words = [...feature.words, ...settings.words, "--chdir", chdir];
    const port = freePort();
    const command = gunicornTs({ port, workers: 1, app, workerClass, words });
    await using server = new BenchServer({ command, port });
    await server.answered(load.traffic.paths[0]);
    const visit = (what: string) => (sweep: number, workers: number) =>
      progress.show(`${load.name}: ${what} ${sweep + 1} of ${settings.sweeps}, ${workers} workers`);
    const shared = { driver, server, load, sweeps: settings.sweeps };
    const perLoad = budgetSeconds / targets.length;
    const always = settings.counts.filter((count) => count === guideline(settings.cpus));
    const sweep = { ...shared, counts: settings.counts, budgetSeconds: perLoad, always };
    await runSweeps({ ...sweep, onVisit: visit("sweep") }, tuning.steps);
    if (!settings.verify) continue;
    const counts = countsToVerify(recommend(tuning.steps).workers, badCount(load, settings.cpus));
    const check = { ...shared, counts, always: counts, budgetSeconds: perLoad };
    await runSweeps({ ...check, onVisit: visit("verification") }, tuning.checks);
  }
  progress.end();
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
  const facts = showMachine(readMachine());
  console.log(`${facts}\n`);
  for (const tuning of tunings) {
    console.log(renderTuned(named(tuning), cpus));
    const checked = verified(tuning, cpus);
    if (checked === null) continue;
    const { workers } = recommend(complete(tuning.steps));
    console.log(renderVerified(checked, workers, badCount(tuning.load, cpus)));
  }
  if (path === null) return;
  const panels = tunings.flatMap((tuning) => panelsOf(named(tuning), cpus));
  const chart = path.replace(/(\.json)?$/, ".svg");
  writeFileSync(chart, renderSvg("How many workers?", facts, panels));
  console.error(`Chart: ${chart}`);
}
