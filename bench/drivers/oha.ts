/** The load generator oha (hatoo/oha, a Rust program; the npm package of that name is something else). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUp } from "../clean-up.ts";
import { BenchError, NoAnswerError } from "../errors.ts";
import {
  type Driver,
  type ErrorCounts,
  noErrors,
  type Report,
  requestFields,
  type Traffic,
  unreadable,
} from "./driver.ts";
import { busy, generatorThreads, runGenerator } from "./generator-process.ts";

const install = "cargo install oha --locked";

const patienceMs = 60_000;

/** How oha calls the requests that were under way when the time was over: no errors. */
const cutAtTheEnd = "aborted due to deadline";

/** oha's words for what went wrong; the first that fits. */
const sorts: readonly (readonly [RegExp, keyof ErrorCounts])[] = [
  [/timeout|timed out/i, "timeout"],
  [/refused|unreachable|dns|tls/i, "connect"],
  [/connection|reset|closed|read|incomplete|eof/i, "read"],
  [/write|broken pipe/i, "write"],
];

/** Reads oha's JSON; throws BenchError for one that is cut short, isn't oha's, or counts no answer. */
export function parseOhaOutput(output: string, connections: number): Report {
  let report: unknown;
  try {
    report = JSON.parse(output);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unreadable("oha", output);
  }
  const statuses = counts(at(report, "statusCodeDistribution"));
  const failures = counts(at(report, "errorDistribution"));
  const seconds = at(at(report, "summary"), "total");
  if (statuses === null || failures === null || typeof seconds !== "number" || !(seconds > 0)) {
    throw unreadable("oha", output);
  }
  const errors: Record<keyof ErrorCounts, number> = { ...noErrors };
  for (const [text, count] of failures) {
    // One on each connection at most: more than that is a server that doesn't answer.
    const failed = text === cutAtTheEnd ? Math.max(0, count - connections) : count;
    errors[sorts.find(([pattern]) => pattern.test(text))?.[1] ?? "other"] += failed;
  }
  let requests = 0;
  for (const [status, count] of statuses) {
    requests += count;
    if (Number(status) >= 400) errors.status += count;
  }
  if (requests === 0) throw new NoAnswerError(`oha got no answer: ${showFailures(failures)}`);
  const percentiles = at(report, "latencyPercentiles");
  const [p50, p99] = [at(percentiles, "p50"), at(percentiles, "p99")];
  if (typeof p50 !== "number" || typeof p99 !== "number") throw unreadable("oha", output);
  return {
    requests,
    durationUs: Math.round(seconds * 1e6),
    p50Us: Math.round(p50 * 1e6),
    p99Us: Math.round(p99 * 1e6),
    errors,
  };
}

function at(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** An object of counts; null for anything else. */
function counts(value: unknown): readonly (readonly [string, number])[] | null {
  if (typeof value !== "object" || value === null) return null;
  const entries = Object.entries(value as Record<string, unknown>);
  const fit = (count: unknown) => typeof count === "number" && count >= 0;
  return entries.every(([, count]) => fit(count)) ? (entries as [string, number][]) : null;
}

function showFailures(failures: readonly (readonly [string, number])[]): string {
  return failures.map(([text, count]) => `${count} x ${text}`).join(", ") || "(no reason given)";
}

function find(): string {
  const path = Bun.which("oha");
  if (path === null) throw new BenchError(`oha isn't installed: ${install}`);
  return path;
}

/** By path: asked for once, and not while a turn is measured. */
const knownWords = new Map<string, readonly string[]>();

/** The words for JSON: newer ones have --output-format, older ones --json. */
function jsonWords(path: string): readonly string[] {
  const known = knownWords.get(path);
  if (known !== undefined) return known;
  const { stdout } = Bun.spawnSync([path, "--help"], { stderr: "ignore" });
  const words = stdout.includes("--output-format") ? ["--output-format", "json"] : ["--json"];
  knownWords.set(path, words);
  return words;
}

/** What only files can hold: a body that is too long for a word, a list of URLs. */
function filesOf(url: string, { bodyBytes, paths }: Traffic, folder: string): readonly string[] {
  if (bodyBytes > 0) {
    const body = join(folder, "body");
    writeFileSync(body, Buffer.alloc(bodyBytes, "x"));
    return ["-D", body, "-T", "application/octet-stream", url];
  }
  if (paths.length < 2) return [new URL(paths[0] ?? "/", url).href];
  const list = join(folder, "urls");
  writeFileSync(list, `${paths.map((path) => new URL(path, url).href).join("\n")}\n`);
  return ["--urls-from-file", list];
}

export const oha: Driver = {
  name: "oha",

  detect() {
    const path = find();
    const { stdout } = Bun.spawnSync([path, "--version"], { stderr: "ignore" });
    const found = /^oha (\d+\.\d+\S*)/.exec(stdout.toString());
    if (found === null) {
      throw new BenchError(`the oha on PATH isn't the load generator hatoo/oha: ${install}`);
    }
    jsonWords(path);
    return found[1] as string;
  },

  refuses({ pipelineDepth, bodyBytes, bodyKind, unique }) {
    if (pipelineDepth > 1) return "oha can't pipeline requests";
    if (unique) return "oha sends the same head each time";
    // Its -D and -T could, but for what each kind is made of, which is in wrk's script.
    return bodyBytes > 0 && bodyKind !== "bytes" ? `oha has no ${bodyKind} body here` : null;
  },

  async run(url, traffic, seconds) {
    const path = find();
    const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-bench-oha-"));
    const remove = cleanUp(() => rmSync(folder, { recursive: true, force: true }));
    try {
      const fields = requestFields(traffic).filter((field) => !field.startsWith("Connection:"));
      const { output, complaints, cpuUs } = await runGenerator(
        [
          path,
          "--no-tui",
          ...jsonWords(path),
          "-z",
          `${Math.round(seconds * 1000)}ms`,
          "-c",
          String(traffic.connections),
          "--worker-threads",
          String(generatorThreads),
          "-m",
          traffic.method,
          ...(traffic.newConnections ? ["--disable-keepalive"] : []),
          ...(url.startsWith("https:") ? ["--insecure"] : []),
          ...fields.flatMap((field) => ["-H", field]),
          ...filesOf(url, traffic, folder),
        ],
        { limitMs: seconds * 1000 + patienceMs },
      );
      if (output.trim() === "" && complaints !== "") throw unreadable("oha", complaints);
      const turn = parseOhaOutput(output, traffic.connections);
      return { ...turn, ...busy(turn, cpuUs) };
    } finally {
      remove();
    }
  },
};
