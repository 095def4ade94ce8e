/**
 * Reads the JUnit reports of `bun test`: what may not be skipped, and the sums. `bun .ci/verdict.ts STATUS:WHO:FILE ...`, where
 * STATUS is the runner's exit code and WHO `root` or `user`, prints `N passed, N failed` last, and exits with 1 unless all is well.
 */
import { readFileSync } from "node:fs";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** What is wrong beside failed tests, one sentence each. */
  readonly complaints: readonly string[];
}

type Who = "root" | "user";

/** A registry that doesn't answer, however often it is asked, is no fault of what is tested. */
const network = /\(needs its packages: /;

/** `.ci/tools` fetches these, by registries too. */
const unfetched = /\(not installed here: (?:h2spec|aioquic-python)\)/;

/** What a test may lack: the last words of its name, or of a describe() around it. */
const reasons: Readonly<Record<Who, readonly RegExp[]>> = {
  root: [network, unfetched],
  user: [network, unfetched, /\(needs root\)/, /\(needs user namespaces\)/],
};

/** A skipped or todo test's element opens, and `<skipped` is the first thing in it. */
const skipped = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*file="([^"]*)"[^>]*>\s*<skipped/g;

/** One run's report; `status` is the exit code of its runner. As root nothing but the network may be missing. */
export function countsOf(report: string, status: number, who: Who): Counts {
  const [totals = ""] = /<testsuites [^>]*>/.exec(report) ?? [];
  const number = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(totals)?.[1] ?? 0);
  const tests = number("tests");
  const failures = number("failures");
  const complaints = [...report.matchAll(skipped)].flatMap(([, name = "", around = "", file]) => {
    const allowed = reasons[who].some((reason) => reason.test(`${name} ${around}`));
    return allowed ? [] : [`${who}: skipped: ${file}: ${unescape(name)}`];
  });
  if (tests === 0) complaints.push(`${who}: no test ran`);
  // A file that can't be loaded, and an error between tests, are in no element of the report.
  const outside = status !== 0 && failures === 0;
  if (outside) complaints.push(`${who}: the runner ended with ${status}, and no test has failed`);
  const passed = tests - failures - number("skipped");
  return { passed, failed: failures + (outside ? 1 : 0), complaints };
}

function unescape(text: string): string {
  const characters: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => characters[name] ?? "");
}

if (import.meta.main) {
  const runs = process.argv.slice(2).map((word) => {
    const [status, who, file] = word.split(":");
    if (who !== "root" && who !== "user") throw new RangeError(`root or user, got ${who}`);
    return countsOf(readFileSync(String(file), "utf8"), Number(status), who);
  });
  const complaints = runs.flatMap((run) => run.complaints);
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  const sum = (of: (run: Counts) => number) => runs.reduce((total, run) => total + of(run), 0);
  const failed = sum((run) => run.failed);
  process.stdout.write(`${sum((run) => run.passed)} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 || complaints.length > 0 ? 1 : 0;
}
