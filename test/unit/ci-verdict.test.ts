import { expect, test } from "bun:test";
import { countsOf, failedFiles } from "../../.ci/verdict.ts";

function report(
  failures: number,
  ...skipped: readonly (readonly [name: string, around: string])[]
) {
  const cases = skipped.map(
    ([name, around]) =>
      `<testcase name="${name}" classname="${around}" time="0" file="a.test.ts" line="2" assertions="0">\n<skipped />`,
  );
  const totals = `tests="10" assertions="9" failures="${failures}" skipped="${skipped.length}"`;
  return `<testsuites name="bun test" ${totals} time="1">
<testcase name="passes" classname="" time="0" file="a.test.ts" line="1" assertions="1" />
${cases.join("\n</testcase>\n")}`;
}

const tool = ["a &quot;tool&quot;", "x (not installed here: wrk)"] as const;
const byName = ["a (needs root)", ""] as const;
const packages = ["a", "Koa (needs its packages: ConnectionRefused)"] as const;
const fetched = ["finds", "h2spec (not installed here: h2spec)"] as const;
const alsoFetched = ["serves", "HTTP/3 (not installed here: aioquic-python)"] as const;
const halfFetched = ["finds", "h2spec (not installed here: curl, h2spec)"] as const;
const around = ["a", "deep &gt; outer (needs root)"] as const;

test.each([
  ["passes", report(0), 0, "root", 10, 0, []],
  ["fails", report(2), 1, "user", 8, 2, []],
  ["skips what needs root", report(0, byName, around), 0, "user", 8, 0, []],
  [
    "skips as root",
    report(0, byName),
    0,
    "root",
    9,
    0,
    ["skipped: root: a.test.ts: a (needs root)"],
  ],
  ["has no registry, as root", report(0, packages), 0, "root", 9, 0, []],
  ["has no registry", report(0, packages), 0, "user", 9, 0, []],
  ["lacks what couldn't be fetched", report(0, fetched, alsoFetched), 0, "root", 8, 0, []],
  ["lacks it as another user", report(0, fetched), 0, "user", 9, 0, []],
  [
    "lacks more than that",
    report(0, halfFetched),
    0,
    "root",
    9,
    0,
    ["skipped: root: a.test.ts: h2spec (not installed here: curl, h2spec) > finds"],
  ],
  [
    "lacks a tool",
    report(0, tool),
    0,
    "user",
    9,
    0,
    ['skipped: user: a.test.ts: x (not installed here: wrk) > a "tool"'],
  ],
  // A file that can't be loaded isn't in the report.
  [
    "errs outside of tests",
    report(0),
    1,
    "user",
    10,
    1,
    ["user: the runner ended with 1, and no test has failed"],
  ],
  ["ran nothing", "", 0, "root", 0, 0, ["root: no test ran"]],
] as const)(
  "countsOf() of a run that %s",
  (_claim, text, status, who, passed, failed, complaints) => {
    expect(countsOf(text, status, who)).toEqual({
      passed,
      failed,
      complaints: [...complaints],
      unsteady: [],
    });
  },
);

/** A report of tests of one file, and what became of each. */
function outcomes(...tests: readonly (readonly [name: string, failure?: string])[]) {
  const failures = tests.filter(([, failure]) => failure !== undefined).length;
  const cases = tests.map(([name, failure]) => {
    const open = `<testcase name="${name}" classname="x &gt; y" time="0" file="a.test.ts" line="2" assertions="1"`;
    if (failure === undefined) return `${open} />`;
    return `${open}>\n<failure type="Error" message="${failure}">Error: ${failure}</failure>\n</testcase>`;
  });
  return `<testsuites name="bun test" tests="${tests.length}" failures="${failures}" skipped="0">${cases.join("\n")}</testsuites>`;
}

const first = outcomes(
  ["a"],
  ["b", "Expected: &lt;1&gt;&#10;Received: 2"],
  ["c", "test timed out"],
);
const b = "a.test.ts: x > y > b\n    Expected: <1>\n    Received: 2";
const c = "a.test.ts: x > y > c\n    test timed out";

test.each([
  ["isn't run again", "", 1, 2, [`failed: root: ${b}`, `failed: root: ${c}`], []],
  ["passes alone", outcomes(["a"], ["b"], ["c"]), 3, 0, [], [`root: ${b}`, `root: ${c}`]],
  [
    "fails again",
    outcomes(["a"], ["b", "other"], ["c"]),
    2,
    1,
    [`failed: root: ${b}`],
    [`root: ${c}`],
  ],
  [
    "fails in one of two rows of its name",
    outcomes(["b"], ["b", "other"], ["c"]),
    2,
    1,
    [`failed: root: ${b}`],
    [`root: ${c}`],
  ],
  [
    "isn't in the second report",
    outcomes(["a"], ["c"]),
    2,
    1,
    [`failed: root: ${b}`],
    [`root: ${c}`],
  ],
])("countsOf(): a failed test that %s", (_claim, again, passed, failed, complaints, unsteady) => {
  expect(countsOf(first, 1, "root", again)).toEqual({ passed, failed, complaints, unsteady });
});

test("failedFiles() names each file once", () => {
  expect(failedFiles(first)).toEqual(["a.test.ts"]);
  expect(failedFiles(outcomes(["a"]))).toEqual([]);
});
