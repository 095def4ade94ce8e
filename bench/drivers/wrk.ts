/** The load generator wrk: runs it, and reads the line that wrk-scripts/common.lua prints. */
import { join } from "node:path";
import { BenchError, NoAnswerError } from "../errors.ts";
import {
  type Driver,
  noErrors,
  type Report,
  requestFields,
  type Traffic,
  unreadable,
} from "./driver.ts";
import { busy, generatorThreads, runGenerator } from "./generator-process.ts";

const scripts = join(import.meta.dir, "wrk-scripts");

/** wrk's own: a request that takes longer is an error. */
const timeoutSeconds = 5;

/** For the report, beyond the seconds of a turn. */
const patienceMs = 60_000;

const fields = [
  "requests",
  "durationUs",
  "p50Us",
  "p99Us",
  "connect",
  "read",
  "write",
  "status",
  "timeout",
] as const;

/** Reads wrk's whole output; throws BenchError for one that is cut short or isn't ours. */
export function parseWrkOutput(output: string): Report {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  if (!output.endsWith("\n") || !line.startsWith("{")) throw unreadable("wrk", output);
  let values: Record<string, unknown>;
  try {
    values = JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unreadable("wrk", output);
  }
  const numbers = {} as Record<(typeof fields)[number], number>;
  for (const field of fields) {
    const value = values[field];
    if (typeof value !== "number" || value < 0) throw unreadable("wrk", output);
    numbers[field] = value;
  }
  const { requests, durationUs, p50Us, p99Us, ...errors } = numbers;
  if (requests === 0 || durationUs === 0) {
    throw new NoAnswerError(`wrk got no answer:\n${output.trim()}`);
  }
  return { requests, durationUs, p50Us, p99Us, errors: { ...noErrors, ...errors } };
}

function find(): string {
  const path = Bun.which("wrk");
  if (path === null) {
    throw new BenchError("wrk isn't installed; on Debian: apt-get install wrk");
  }
  return path;
}

/** The script for a traffic, and its words. */
function scriptOf(traffic: Traffic): readonly string[] {
  const { bodyBytes, bodyKind, pipelineDepth, paths, unique } = traffic;
  if (bodyBytes > 0) return ["upload", String(bodyBytes), bodyKind];
  if (unique) return ["unique"];
  if (pipelineDepth > 1) return ["pipelined", String(pipelineDepth)];
  return paths.length > 1 ? ["paths", ...paths] : ["get"];
}

export const wrk: Driver = {
  name: "wrk",

  detect() {
    // It answers --version with its usage and an exit code of 1.
    const { stdout } = Bun.spawnSync([find(), "--version"], { stderr: "ignore" });
    return /^wrk (\S+)/.exec(stdout.toString())?.[1] ?? "of an unknown version";
  },

  refuses: () => null,

  async run(url, traffic, seconds) {
    const [script, ...words] = scriptOf(traffic);
    const headers = requestFields(traffic).flatMap((field) => ["-H", field]);
    const target = new URL(traffic.paths[0] ?? "/", url).href;
    const { output, complaints, cpuUs } = await runGenerator(
      [
        find(),
        `-t${generatorThreads}`,
        `-c${traffic.connections}`,
        // It counts whole seconds; SIGINT ends it at any time, with a report.
        "-d1h",
        // A longer turn is for a slow app: what fits into it isn't an error.
        `--timeout=${Math.max(timeoutSeconds, Math.ceil(seconds))}s`,
        ...headers,
        "-s",
        `${script}.lua`,
        target,
        ...(words.length > 0 ? ["--", ...words] : []),
      ],
      { cwd: scripts, interruptAfterMs: seconds * 1000, limitMs: seconds * 1000 + patienceMs },
    );
    if (output + complaints === "") {
      throw new NoAnswerError("wrk got no answer: it was interrupted before it had begun");
    }
    const turn = parseWrkOutput(output + complaints);
    return { ...turn, ...busy(turn, cpuUs) };
  },
};
