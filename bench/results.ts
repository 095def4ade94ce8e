/** Result files: what was measured, on which machine, by which command; written at Ctrl-C too. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { version } from "../src/version.ts";
import { cleanUp } from "./clean-up.ts";
import { BenchError } from "./errors.ts";
import { type Machine, readMachine } from "./machine.ts";
import type { Options } from "./options.ts";

const format = 1;
const folder = join(import.meta.dir, "results");

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
  /** Shows it to the person who waits; `partial` after Ctrl-C. */
  readonly show: (partial: boolean) => void;
}

/** Runs the work; however that ends, what was measured is written and shown. */
export async function record(parts: RecorderParts, work: () => Promise<void>): Promise<void> {
  const machine = readMachine();
  // A place that can't be written to is found out before minutes are spent.
  if (parts.path !== null) makeFolder(dirname(parts.path));
  const begun = new Date();
  let complete = false;
  const finish = cleanUp(() => {
    const findings = parts.findings();
    if (findings.series.length === 0) return;
    const partial = !complete;
    const { kind, command, path } = parts;
    const times = { begun: begun.toISOString(), ended: new Date().toISOString() };
    if (path !== null) {
      write(path, { format, kind, partial, command, ...times, machine, ...findings });
    }
    parts.show(partial);
    if (path !== null) console.error(`${partial ? "Partial result" : "Result"}: ${show(path)}`);
  });
  try {
    await work();
    complete = true;
  } finally {
    finish();
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new BenchError(`--out: ${(error as Error).message}`, { cause: error });
  }
}

function write(path: string, result: ResultFile): void {
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
}

function show(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
}

export const outFlag = {
  type: "string",
  valueHint: "FILE",
  description: "Where the result goes as JSON (by default bench/results/; a smoke run writes none)",
} as const;

/** Where the result goes: --out, or a new file of bench/results; null for a smoke run. */
export function resultPath(kind: string, options: Options): string | null {
  const given = options.text("out");
  if (given !== null) return join(process.cwd(), relative(process.cwd(), given));
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
  if (!isResult(value)) throw new BenchError(`${path}: not a result file of this bench`);
  return value;
}

function isResult(value: unknown): value is ResultFile {
  if (typeof value !== "object" || value === null) return false;
  const { format: number, kind, series } = value as Partial<ResultFile>;
  return number === format && typeof kind === "string" && Array.isArray(series);
}

export const ownVersion: Readonly<Record<string, string>> = { "gunicorn-ts": version };
