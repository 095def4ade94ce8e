/** Result files: writing, reading, comparing; and what a soak and a comparison make of their figures. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  completeRounds,
  renderContest,
  seriesOf as contestSeries,
} from "../../../bench/compare/report.ts";
import type { Contest } from "../../../bench/compare/rounds.ts";
import { compareSeries } from "../../../bench/diff/diff.ts";
import { noErrors } from "../../../bench/drivers/driver.ts";
import { BenchError } from "../../../bench/errors.ts";
import { writeBetweenMarkers } from "../../../bench/markers.ts";
import { loads } from "../../../bench/loads/loads.ts";
import { readMachine } from "../../../bench/machine.ts";
import type { Measured } from "../../../bench/measure.ts";
import { commandLine, readResult, record, type Series } from "../../../bench/results.ts";
import { memorySlope, settledSamples } from "../../../bench/soak/report.ts";

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function series(values: readonly number[], better: Series["better"] = "more"): Series {
  return { name: "hello", unit: "req/s", better, values };
}

const changes: [what: string, before: Series, after: Series, verdict: string][] = [
  ["equal", series([100, 101, 99]), series([100, 101, 99]), "within noise"],
  ["faster", series([100, 101, 99]), series([120, 121, 119]), "better"],
  ["slower", series([100, 101, 99]), series([80, 81, 79]), "worse"],
  [
    "less of what should be little",
    series([10, 10, 10], "less"),
    series([8, 8, 8], "less"),
    "better",
  ],
  ["a little, without noise", series([100, 100, 100]), series([101, 101, 101]), "within noise"],
  ["much, with as much noise", series([100, 140, 60]), series([115, 150, 80]), "within noise"],
  ["one run", series([100]), series([200, 201, 199]), "can't tell"],
  ["nothing, as before", series([0, 0, 0]), series([0, 0, 0]), "within noise"],
  ["from nothing", series([0, 0, 0]), series([5, 5, 5]), "better"],
  ["failures from none", series([0, 0, 0], "less"), series([5, 5, 5], "less"), "worse"],
  ["one failure in one turn", series([0, 0, 0], "less"), series([0, 0, 1], "less"), "worse"],
  ["no failures any more", series([0, 3, 0], "less"), series([0, 0, 0], "less"), "better"],
  ["a failure, of one run each", series([0], "less"), series([1], "less"), "worse"],
];
test.each(changes)("compareSeries(): %s", (_what, before, after, verdict) => {
  expect(compareSeries([before], [after])[0]?.verdict).toBe(verdict as "better");
});

test("compareSeries() leaves out what only one side has", () => {
  expect(compareSeries([series([1])], [{ ...series([1]), name: "other" }])).toEqual([]);
});

describe("record()", () => {
  const shown: boolean[] = [];
  const parts = (path: string | null, all: readonly Series[]) => ({
    kind: "tune",
    path,
    command: "bun run bench tune",
    findings: () => ({ versions: {}, series: all, details: null }),
    show: (partial: boolean) => void shown.push(partial),
  });

  test("writes what was measured, with machine and command, and reads it back", async () => {
    const path = join(folder, "new/complete.json");
    await record(parts(path, [series([1, 2])]), () => Promise.resolve());
    const result = readResult(path);
    expect(result).toMatchObject({ kind: "tune", partial: false, command: "bun run bench tune" });
    expect(result.machine.cpus).toBeGreaterThan(0);
    expect(shown.pop()).toBe(false);
  });

  test("keeps what was measured when the work fails, and says that it's partial", async () => {
    const path = join(folder, "partial.json");
    const failed = record(parts(path, [series([1, 2])]), () => Promise.reject(new Error("no")));
    expect(failed).rejects.toThrow("no");
    await failed.catch(() => {});
    expect(readResult(path).partial).toBe(true);
    expect(shown.pop()).toBe(true);
  });

  test("refuses a place that can't be written to before the work, and leaves no file", async () => {
    let worked = false;
    const work = () => Promise.resolve(void (worked = true));
    expect(record(parts(folder, [series([1])]), work)).rejects.toThrow("--out: ");
    expect(worked).toBe(false);
    const path = join(folder, "never.json");
    await record(parts(path, []), work);
    expect(worked).toBe(true);
    expect(await Bun.file(path).exists()).toBe(false);
  });

  test("writes nothing of nothing", async () => {
    const path = join(folder, "empty.json");
    await record(parts(path, []), () => Promise.resolve());
    expect(await Bun.file(path).exists()).toBe(false);
  });
});

function malformed(changed: object): string {
  const times = { begun: "2026-11-20T20:00:00.000Z", ended: "2026-11-20T20:01:00.000Z" };
  const facts = { format: 1, kind: "tune", partial: false, command: "", ...times, versions: {} };
  return JSON.stringify({ ...facts, machine: readMachine(), series: [series([1])], ...changed });
}

test("readResult() reads what those are derived from", () => {
  const path = join(folder, "sound.json");
  writeFileSync(path, malformed({}));
  expect(readResult(path).kind).toBe("tune");
});

const foreign: [what: string, text: string | null, message: string][] = [
  ["isn't there", null, "ENOENT"],
  ["isn't JSON", "{", "JSON"],
  ["isn't a result", "{}", "not a result file of this bench"],
  ["holds null", "null", "not an object"],
  ["has no machine", malformed({ machine: undefined }), "no machine.cpus"],
  ["has half a machine", malformed({ machine: { cpus: 2 } }), "no machine.model"],
  ["has no date", malformed({ begun: null }), "no begun"],
  ["has no series", malformed({ series: [] }), "no series"],
  ["has a series without values", malformed({ series: [series([])] }), "series 0 is malformed"],
  ["has a null", malformed({ series: [{ ...series([1]), values: [1, null] }] }), "series 0 is"],
  ["has null for a series", malformed({ series: [series([1]), null] }), "series 1 is malformed"],
  ["is of another format", `{"format":99,"kind":"tune","series":[]}`, "not a result file"],
];
test.each(foreign)("readResult() refuses a file that %s", (what, text, message) => {
  const path = join(folder, `${what}.json`);
  if (text !== null) writeFileSync(path, text);
  expect(() => readResult(path)).toThrow(BenchError);
  expect(() => readResult(path)).toThrow(message);
});

test("commandLine() can be pasted", () => {
  expect(commandLine("compare", ["--peer", "Bun.serve x 1", "--seconds", "2"])).toBe(
    "bun run bench compare --peer 'Bun.serve x 1' --seconds 2",
  );
});

const slopes: [what: string, sizes: number[], grows: boolean][] = [
  ["steady", [50, 50, 51, 50, 49, 50, 51, 50, 50, 49], false],
  ["large at the start only", [90, 70, 50, 50, 51, 50, 49, 50, 50, 51], false],
  ["growing", [50, 51, 52, 53, 54, 55, 56, 57, 58, 59], true],
];
test.each(slopes)("memorySlope(): %s", (_what, sizes, grows) => {
  const samples = sizes.map((size, index) => ({ seconds: index * 60, bytes: size * 2 ** 20 }));
  const line = memorySlope(samples, [])!;
  expect(line.slope > line.noise).toBe(grows);
  // One MiB a minute.
  if (grows) expect(line.slope).toBeCloseTo(60);
});

test("memorySlope() looks at whole periods between HUPs: a saw without growth has no slope", () => {
  const hups = [20, 40, 60, 80, 100, 120];
  // It rises within each period, and the last one, of which there is half only, would look like a fall.
  const saw = (growth: number) =>
    Array.from({ length: 260 }, (_, index) => {
      const seconds = index / 2;
      const mebibytes = 50 + (seconds % 20) + growth * Math.floor(seconds / 20);
      return { seconds, bytes: mebibytes * 2 ** 20 };
    });
  const level = memorySlope(saw(0), hups)!;
  expect(Math.abs(level.slope)).toBeLessThan(1e-6);
  const growing = memorySlope(saw(1), hups)!;
  // One MiB in 20 s.
  expect(growing.slope).toBeCloseTo(180);
  expect(growing.slope).toBeGreaterThan(growing.noise);
  expect(settledSamples(saw(1), hups)).toHaveLength(4);
  expect(memorySlope(saw(1).slice(0, 100), hups.slice(0, 2))).toBeNull();
});

test("memorySlope() of too little is nothing", () => {
  expect(memorySlope([{ seconds: 1, bytes: 1 }], [])).toBeNull();
});

describe("a comparison", () => {
  const turn = (requestsPerSecond: number): Measured => ({
    requests: requestsPerSecond,
    requestsPerSecond,
    durationUs: 1e6,
    p50Us: 500,
    p99Us: 1000,
    errors: { ...noErrors, read: 1 },
    driverBusy: requestsPerSecond > 150 ? 0.99 : 0.5,
    generatorCpuUs: 0,
    cpuUsPerRequest: 10,
    cpusUsed: 1,
    residentBytes: 2 ** 20,
    othersBusy: 0.3,
  });
  const contest: Contest = {
    load: loads[0]!,
    competitors: [
      { name: "ours", version: "1", turns: [turn(100), turn(50), turn(110)] },
      { name: "theirs", version: "2", turns: [turn(200), turn(100)] },
    ],
    absent: [{ name: "uvicorn", why: "not installed (pip install uvicorn)" }],
  };

  test("compares round by round, counts errors, and lists who is missing", () => {
    const text = renderContest(completeRounds(contest));
    expect(text).toMatch(/\| theirs \(2\) +\| 150\* +\| 2\.00 \(2\.00 \.\. 2\.00\) .* \| 2 +\|/);
    expect(text).toContain("Not in the table: uvicorn, not installed (pip install uvicorn).");
    expect(text).toContain("bounded by the load generator");
    expect(text).toContain("Other programs used 0.30 CPUs meanwhile");
  });

  test("lists who is missing though nobody was there, and leaves unknown latencies out", () => {
    const text = renderContest(completeRounds({ ...contest, competitors: [] }));
    expect(text).toContain("Not in the table: uvicorn");
    const silent = { ...turn(100), p99Us: 0, p50Us: 0, cpuUsPerRequest: null };
    const one = { ...contest, competitors: [{ name: "ours", version: "1", turns: [silent] }] };
    expect(renderContest(one)).toMatch(/1\.00\) +\| - +\| - +\| - +\| 1 /);
    expect(contestSeries(one).map(({ name }) => name)).toEqual([
      "hello, ours: requests",
      "hello, ours: failed",
    ]);
  });

  test("is written between the markers of a file, again and again", () => {
    const path = join(folder, "README.md");
    const markers = "<!-- bench compare: begin -->\n<!-- bench compare: end -->";
    const others = "<!-- bench growth: begin -->\n<!-- bench growth: end -->\n";
    writeFileSync(path, `before\n${others}${markers}\nafter\n`);
    writeBetweenMarkers(path, "compare", "one\n");
    writeBetweenMarkers(path, "compare", "two\n");
    expect(readFileSync(path, "utf8")).toBe(
      `before\n${others}<!-- bench compare: begin -->\n\ntwo\n\n<!-- bench compare: end -->\nafter\n`,
    );
    writeFileSync(path, "no markers\n");
    expect(() => writeBetweenMarkers(path, "compare", "x")).toThrow(BenchError);
    expect(readFileSync(path, "utf8")).toBe("no markers\n");
  });
});

test("every load has a name of its own and an app that is there", async () => {
  expect(new Set(loads.map(({ name }) => name)).size).toBe(loads.length);
  for (const { app } of loads) {
    expect(await Bun.file(join(import.meta.dir, `../../../bench/apps/${app}.ts`)).exists()).toBe(
      true,
    );
  }
});
