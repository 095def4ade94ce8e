/**
 * Reads the JUnit reports of `bun test`: what failed, what may not be skipped, and the sums. `bun .ci/verdict.ts
 * STATUS:WHO:FILE[:AGAIN] ...`, where STATUS is the runner's exit code, WHO `root` or `user`, and AGAIN the report of the failed
 * files run once more, alone, prints `N passed, N failed` last, and exits with 1 unless all is well. `--failed FILE` prints the
 * files with failed tests, a line each.
 */
import { existsSync, readFileSync } from "node:fs";

export interface Counts {
  readonly passed: number;
  /** Tests that failed, and did so again where they were run again. */
  readonly failed: number;
  /** What is wrong: failed tests, what may not be skipped, a runner that ended otherwise than its tests; one paragraph each. */
  readonly complaints: readonly string[];
  /** Tests that failed beside others, and passed alone. A fault of the test or of the server nevertheless. */
  readonly unsteady: readonly string[];
}

type Who = "root" | "user";

/** A registry that doesn't answer, however often it is asked, is no fault of what is tested. */
const network = /\(needs its packages: /;

/** `.ci/tools` fetches these, by registries too. */
const unfetched = /\(not installed here: (?:h2spec|aioquic-python|kubernetes-validate)\)/;

/** What a test may lack: the last words of its name, or of a describe() around it. */
const reasons: Readonly<Record<Who, readonly RegExp[]>> = {
  root: [network, unfetched],
  user: [network, unfetched, /\(needs root\)/, /\(needs user namespaces\)/],
};

interface Test {
  readonly file: string;
  /** Its describe() blocks and its own name. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Of a failure: its first lines. */
  readonly message: string;
}

/** A test's element is closed at once, or opens and holds `<skipped` or `<failure` first. */
const element =
  /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?file="([^"]*)"[^>]*?(?:\/>|>\s*<(skipped|failure)(?:[^>]*? message="([^"]*)")?)/g;

function testsOf(report: string): Test[] {
  return [...report.matchAll(element)].map(
    ([, name = "", around = "", file = "", inner, message]) => ({
      file,
      name: unescape(around === "" ? name : `${around} > ${name}`),
      outcome: inner === "failure" ? "failed" : inner === "skipped" ? "skipped" : "passed",
      message: unescape(message ?? "").trim(),
    }),
  );
}

/** The files with failed tests, each once. */
export function failedFiles(report: string): string[] {
  const failed = testsOf(report).filter(({ outcome }) => outcome === "failed");
  return [...new Set(failed.map(({ file }) => file))];
}

/**
 * One run's report; `status` is the exit code of its runner, `again` the report of the failed files run once more. As root nothing
 * but the network may be missing.
 */
export function countsOf(report: string, status: number, who: Who, again = ""): Counts {
  const [totals = ""] = /<testsuites [^>]*>/.exec(report) ?? [];
  const number = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(totals)?.[1] ?? 0);
  const tests = number("tests");
  const failures = number("failures");
  const all = testsOf(report);
  const told = ({ file, name, message }: Test) => `${who}: ${file}: ${name}${indented(message)}`;
  const complaints = all
    .filter((test) => test.outcome === "skipped")
    .filter(({ name }) => !reasons[who].some((reason) => reason.test(name)))
    .map((test) => `skipped: ${told(test)}`);
  if (tests === 0) complaints.push(`${who}: no test ran`);
  // A file that can't be loaded, and an error between tests, are in no element of the report.
  const outside = status !== 0 && failures === 0;
  if (outside) complaints.push(`${who}: the runner ended with ${status}, and no test has failed`);

  const failed = all.filter(({ outcome }) => outcome === "failed");
  const alone = testsOf(again);
  // Rows of a table may share a name: all of them have to pass.
  const passedAlone = (test: Test) => {
    const same = alone.filter(({ file, name }) => file === test.file && name === test.name);
    return same.length > 0 && same.every(({ outcome }) => outcome === "passed");
  };
  const unsteady = failed.filter(passedAlone);
  for (const test of failed) if (!unsteady.includes(test)) complaints.push(`failed: ${told(test)}`);
  return {
    passed: tests - failures - number("skipped") + unsteady.length,
    failed: failures - unsteady.length + (outside ? 1 : 0),
    complaints,
    unsteady: unsteady.map(told),
  };
}

function indented(message: string): string {
  const lines = message.split("\n").slice(0, 12);
  return message === "" ? "" : lines.map((line) => `\n    ${line.slice(0, 300)}`).join("");
}

function unescape(text: string): string {
  const characters: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => characters[name] ?? "");
}

function verdict(words: readonly string[]): void {
  const runs = words.map((word) => {
    const [status, who, file, again] = word.split(":");
    if (who !== "root" && who !== "user") throw new RangeError(`root or user, got ${who}`);
    const second = again !== undefined && existsSync(again) ? readFileSync(again, "utf8") : "";
    return countsOf(readFileSync(String(file), "utf8"), Number(status), who, second);
  });
  for (const run of runs) {
    for (const test of run.unsteady)
      process.stderr.write(`failed beside others, passed alone: ${test}\n`);
    for (const complaint of run.complaints) process.stderr.write(`${complaint}\n`);
  }
  const sum = (of: (run: Counts) => number) => runs.reduce((total, run) => total + of(run), 0);
  const failed = sum((run) => run.failed);
  process.stdout.write(`${sum((run) => run.passed)} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 || runs.some((run) => run.complaints.length > 0) ? 1 : 0;
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  if (words[0] !== "--failed") verdict(words);
  else
    for (const file of failedFiles(readFileSync(String(words[1]), "utf8")))
      process.stdout.write(`${file}\n`);
}
