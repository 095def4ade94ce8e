/** Result files: what was measured, on which machine, by which command; written at Ctrl-C too. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { version } from "../src/version.ts";
import { cleanUp } from "./clean-up.ts";
import { BenchError } from "./errors.ts";
import { type Machine, readMachine } from "./machine.ts";
import type { Options } from "./options.ts";
import { wipeLine } from "./progress.ts";

const format = 1;
/** An installed package isn't a place to write to: the caller's folder is. */
const folder = import.meta.dir.includes("/node_modules/")
  ? process.cwd()
  : join(import.meta.dir, "results");

/** One figure of several runs, under a name that stays the same from run to run: what `bench diff` compares. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly values: readonly number[];
}

export interface ResultFile {
  readonly format: typeof format;
  readonly kind: string;
  /** It was interrupted: some of it is missing. */
  readonly partial: boolean;
  readonly command: string;
  readonly begun: string;
  readonly ended: string;
  readonly machine: Machine;
  /** Of the programs that took part. */
  readonly versions: Readonly<Record<string, string>>;
  readonly series: readonly Series[];
  /** What the subcommand itself says, for people and other programs. */
  readonly details: unknown;
}

export interface Findings {
  readonly versions: Readonly<Record<string, string>>;
  readonly series: readonly Series[];
  readonly details: unknown;
}

export interface RecorderParts {
  readonly kind: string;
  /** JSON; null to write none. */
  readonly path: string | null;
  readonly command: string;
  /** What is known so far, whenever it is asked. */
  readonly findings: () => Findings;
  /** Shows it to the person who waits; `partial` after Ctrl-C. It is called when nothing was measured, too. */
  readonly show: (partial: boolean) => void;
}

/** Runs the work; however that ends, what was measured is written and shown. */
export async function record(parts: RecorderParts, work: () => Promise<void>): Promise<void> {
  const machine = readMachine();
  // A place that can't be written to is found out before minutes are spent.
  if (parts.path !== null) checkPlace(parts.path);
  const begun = new Date();
  let state: "under way" | "complete" | "failed" = "under way";
  const finish = cleanUp(() => {
    wipeLine();
    const findings = parts.findings();
    const partial = state !== "complete";
    const { kind, command, path } = parts;
    const measured = findings.series.length > 0;
    if (!measured && state === "under way")
      console.error("bench: interrupted: nothing was measured");
    try {
      // First: what was measured isn't lost when the disk is full.
      parts.show(partial);
    } finally {
      if (path !== null && measured) {
        const times = { begun: begun.toISOString(), ended: new Date().toISOString() };
        write(path, { format, kind, partial, command, ...times, machine, ...findings });
        console.error(`${partial ? "Partial result" : "Result"}: ${show(path)}`);
      }
    }
  });
  try {
    await work();
    state = "complete";
  } catch (error) {
    state = "failed";
    throw error;
  } finally {
    finish();
  }
}

function checkPlace(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const there = existsSync(path);
    closeSync(openSync(path, "a"));
    if (!there) rmSync(path);
  } catch (error) {
    throw new BenchError(`--out: ${(error as Error).message}`, { cause: error });
  }
}

function write(path: string, result: ResultFile): void {
  try {
    writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  } catch (error) {
    throw new BenchError(`--out: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Writes the chart of a result, beside it.
 * @param path the result's; null where none is written
 */
export function writeChart(path: string | null, svg: string): void {
  if (path === null) return;
  const chart = path.replace(/(\.json)?$/, ".svg");
  writeFileSync(chart, svg);
  console.error(`Chart: ${chart}`);
}

function show(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
}

export const outFlag = {
  type: "string",
  valueHint: "FILE",
  description:
    "Where the result goes as JSON (by default bench/results/, or here when the package is installed; a smoke run writes none)",
} as const;

/** Where the result goes: --out, or a new file of bench/results; null for a smoke run. */
export function resultPath(kind: string, options: Options): string | null {
  const given = options.text("out");
  if (given !== null) return resolve(given);
  if (options.on("smoke")) return null;
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "");
  return join(folder, `${kind}-${stamp}.json`);
}

/** `bun run bench WORDS`, as it was given. */
export function commandLine(kind: string, words: readonly string[]): string {
  const quoted = words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`));
  return ["bun run bench", kind, ...quoted].join(" ");
}

/** Throws BenchError for a file that isn't there, isn't JSON, or isn't a result of this format. */
export function readResult(path: string): ResultFile {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new BenchError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const fault = faultOf(value);
  if (fault !== null) throw new BenchError(`${path}: not a result file of this bench: ${fault}`);
  return value as ResultFile;
}

/** What is wrong with a result, as far as `bench diff` reads it; null when nothing is. */
function faultOf(value: unknown): string | null {
  if (!isObject(value)) return "not an object";
  if (value["format"] !== format) return `format isn't ${format}`;
  for (const name of ["kind", "command", "begun"]) {
    if (typeof value[name] !== "string") return `no ${name}`;
  }
  const { machine, series, versions } = value;
  if (!isObject(versions)) return "no versions";
  const facts = { cpus: "number", model: "string", memoryBytes: "number" };
  const texts = { kernel: "string", bun: "string" };
  for (const [name, type] of Object.entries({ ...facts, ...texts })) {
    if (!isObject(machine) || typeof machine[name] !== type) return `no machine.${name}`;
  }
  if (!Array.isArray(series) || series.length === 0) return "no series";
  const wrong = series.findIndex((each) => !isSeries(each));
  return wrong === -1 ? null : `series ${wrong} is malformed`;
}

function isSeries(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, unit, better, values } = value;
  const described = typeof name === "string" && typeof unit === "string";
  if (!described || (better !== "more" && better !== "less")) return false;
  return Array.isArray(values) && values.length > 0 && values.every(Number.isFinite);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const ownVersion: Readonly<Record<string, string>> = { "gunicorn-ts": version };
