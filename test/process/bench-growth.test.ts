/** `bench growth` as people run it, short: that it works, not what it measures. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Direction, measureLargeBodies } from "../../bench/growth/large-bodies.ts";
import type { Side } from "../../bench/ratio/sides.ts";
import { readResult } from "../../bench/results.ts";

setDefaultTimeout(600_000);

const program = join(import.meta.dir, "../../bench/main.ts");
const missing = Bun.which("wrk") === null;
const why = missing ? " (skipped: wrk isn't installed)" : "";
const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-growth-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function growth(words: readonly string[], wrapped: readonly string[] = []) {
  const run = Bun.spawn([...wrapped, process.execPath, program, "growth", ...words], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, complaints] = await Promise.all([run.stdout.text(), run.stderr.text()]);
  return { output, complaints, code: await run.exited };
}

test.skipIf(missing)(
  `a table and a chart between the markers, for each curve asked for${why}`,
  async () => {
    const page = join(folder, "page.md");
    const markers = ["headers", "memory"].map(
      (name) => `<!-- bench growth ${name}: begin -->\n<!-- bench growth ${name}: end -->\n`,
    );
    writeFileSync(page, markers.join(""));
    const out = join(folder, "growth.json");
    const only = ["--only", "headers", "--only", "memory"];
    const { output, complaints, code } = await growth([
      "--smoke",
      ...only,
      "--write-docs",
      "--docs",
      page,
      "--out",
      out,
    ]);
    expect(complaints).not.toContain("rror");
    expect(output).toMatch(/^## Header fields$/m);
    const written = readFileSync(page, "utf8");
    expect(written).toMatch(/^\| 1 +\| \d\S* +\| \d\S* +\| \d\S* +\| - +\| - +\|$/m);
    expect(written).toMatch(/^\| 1000 +\| \d/m);
    expect(written).toContain("](growth-memory.svg)");
    expect(written).not.toContain("connections were ended");
    expect(readFileSync(join(folder, "growth-headers.svg"), "utf8")).toContain(
      ">CPU per request</text>",
    );
    expect(readResult(out).series.map(({ name }) => name)).toContain(
      "headers 10, Bun.serve: CPU per request",
    );
    expect(code).toBe(0);
  },
);

const bodies: [side: Side, direction: Direction][] = [
  ["gunicorn-ts", "upload"],
  ["gunicorn-ts", "answer"],
  ["bare", "upload"],
  ["bare", "answer"],
];
test.each(bodies)("a large body of %s, %s: whole, and its CPU time", async (side, direction) => {
  const { values } = await measureLargeBodies(side, direction, 5_000_000, 0.05, []);
  expect(values).toHaveLength(1);
  expect(values[0] ?? 0).toBeGreaterThan(0);
});

test("a body that is refused is a sentence", async () => {
  const words = ["--limit-request-body", "1000"];
  const measured = measureLargeBodies("gunicorn-ts", "upload", 5_000_000, 0.05, words);
  expect(measured).rejects.toThrow(
    /^(?:a server answers a body with HTTP\/1\.1 413|the server closed)/,
  );
});

const refused: [words: readonly string[], wrapped: readonly string[], sentence: RegExp][] = [
  [
    ["--only", "speed"],
    [],
    /^bench: --only: must be one of connections, headers, uploads, .* got speed\n$/,
  ],
  [["--smoke", "--write-docs"], [], /^bench: a smoke run proves nothing/],
  [["--write-docs", "--docs", "none.md"], [], /^bench: ENOENT/],
  [
    ["--only", "connections"],
    ["sh", "-c", `ulimit -n 1000 && exec "$@"`, "sh"],
    /^bench: 10000 idle connections need 10300 open descriptors, the limit is 1000: raise `ulimit -Hn`\n$/,
  ],
];
test.each(refused)("refused: %p, by %p", async (words, wrapped, sentence) => {
  const { complaints, code } = await growth(words, wrapped);
  expect(complaints).toMatch(sentence);
  expect(code).toBe(1);
});
