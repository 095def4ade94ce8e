/** The load generator wrk: runs it, and reads the line that bench/wrk/common.lua prints. */
import { join } from "node:path";
import { cleanUp } from "./clean-up.ts";
import { BenchError } from "./errors.ts";

export interface WrkResult {
  readonly requests: number;
  readonly durationUs: number;
  /** Socket errors of each sort, timeouts, and answers with a status above 399. */
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly status: number;
  readonly timeout: number;
}

export type WrkScript = "get" | "pipelined" | "upload";

export interface WrkTurn extends WrkResult {
  /** The share of a CPU that wrk itself needed. */
  readonly wrkBusy: number;
}

const wrkConnections = 64;
const scripts = join(import.meta.dir, "wrk");

const fields = [
  "requests",
  "durationUs",
  "connect",
  "read",
  "write",
  "status",
  "timeout",
] as const satisfies readonly (keyof WrkResult)[];

/** Reads wrk's whole output; throws BenchError for one that is cut short or isn't ours. */
export function parseWrkOutput(output: string): WrkResult {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  if (!output.endsWith("\n") || !line.startsWith("{")) throw unreadable(output);
  let values: Record<string, unknown>;
  try {
    values = JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unreadable(output);
  }
  const result: Partial<Record<keyof WrkResult, number>> = {};
  for (const field of fields) {
    const value = values[field];
    if (typeof value !== "number" || value < 0) throw unreadable(output);
    result[field] = value;
  }
  if (result.requests === 0 || result.durationUs === 0) {
    throw new BenchError(`wrk got no answer:\n${output.trim()}`);
  }
  return result as WrkResult;
}

function unreadable(output: string): BenchError {
  return new BenchError(`wrk's output can't be read:\n${output.trim() || "(nothing)"}`);
}

export function findWrk(): string {
  const path = Bun.which("wrk");
  if (path === null) {
    throw new BenchError("wrk isn't installed; on Debian: apt-get install wrk");
  }
  return path;
}

/** The errors of a turn. A request that met one isn't in `requests`, but for a bad status. */
export function errorsOf({ connect, read, write, status, timeout }: WrkResult): number {
  return connect + read + write + status + timeout;
}

/** Drives a server for some seconds. */
export async function runWrk(url: string, script: WrkScript, seconds: number): Promise<WrkTurn> {
  // wrk counts whole seconds; SIGINT ends it at any time, with a report.
  const args = ["-t1", `-c${wrkConnections}`, "-d1h", "-s", `${script}.lua`, url];
  const wrk = Bun.spawn([findWrk(), ...args], {
    cwd: scripts,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = cleanUp(() => wrk.kill("SIGKILL"));
  const timer = setTimeout(() => wrk.kill("SIGINT"), seconds * 1000);
  const [output, complaints] = await Promise.all([
    new Response(wrk.stdout).text(),
    new Response(wrk.stderr).text(),
    wrk.exited,
  ]);
  clearTimeout(timer);
  stop();
  const result = parseWrkOutput(output + complaints);
  const cpuUs = Number(wrk.resourceUsage()?.cpuTime.total ?? 0);
  return { ...result, wrkBusy: cpuUs / result.durationUs };
}
