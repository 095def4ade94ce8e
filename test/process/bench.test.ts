/** The bench as people run it, short: that it works, not what it measures. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { loads } from "../../bench/loads.ts";
import { treeOf } from "../../bench/process-tree.ts";
import { until } from "../support/server.ts";

const program = join(import.meta.dir, "../../bench/main.ts");
const missing = Bun.which("wrk") === null;
const why = missing ? " (skipped: wrk isn't installed)" : "";

function bench(args: readonly string[], env: Record<string, string> = {}) {
  return Bun.spawn([process.execPath, program, ...args], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

test.skipIf(missing)(
  `bench ratio --smoke prints a row per load, without an error${why}`,
  async () => {
    const run = bench(["ratio", "--smoke"]);
    const [output, complaints] = await Promise.all([
      new Response(run.stdout).text(),
      new Response(run.stderr).text(),
    ]);
    expect(complaints).toBe("");
    for (const { name } of loads) {
      const row = output.split("\n").find((line) => line.startsWith(`${name} `));
      expect(row).toMatch(/<= .* 0$/);
    }
    expect(await run.exited).toBe(0);
  },
  60_000,
);

test.skipIf(missing)(
  `Ctrl-C leaves no process, and shows what was measured${why}`,
  async () => {
    const run = bench([
      "ratio",
      "--load",
      "start",
      "--load",
      "hello",
      "--pairs",
      "1",
      "--seconds",
      "60",
    ]);
    // The bench, the master, its worker and wrk.
    await until("a turn under way", () => {
      const names = treeOf(run.pid).map((pid) => Bun.file(`/proc/${pid}/comm`).text());
      return Promise.all(names).then(
        (all) => all.some((name) => name.startsWith("wrk")),
        () => false,
      );
    });
    const tree = treeOf(run.pid);
    expect(tree.length).toBeGreaterThanOrEqual(4);
    run.kill("SIGINT");
    const output = await new Response(run.stdout).text();
    expect(output).toContain("\nstart ");
    expect(await run.exited).toBe(130);
    await until("every process to be gone", () =>
      Promise.all(tree.map((pid) => Bun.file(`/proc/${pid}/stat`).exists())).then(
        (alive) => !alive.includes(true),
      ),
    );
  },
  60_000,
);

test("a missing wrk is one sentence", async () => {
  const run = bench(["ratio", "--smoke"], { PATH: "/nonexistent" });
  expect(await new Response(run.stderr).text()).toBe(
    "bench: wrk isn't installed; on Debian: apt-get install wrk\n",
  );
  expect(await run.exited).toBe(1);
});

test("without a subcommand it shows its usage", async () => {
  const run = bench([]);
  expect(await new Response(run.stdout).text()).toContain("ratio");
  expect(await run.exited).toBe(2);
});

test("the parser's own figures are printed", async () => {
  const run = bench(["parser", "--smoke"]);
  expect(await run.stdout.text()).toMatch(
    /^508 bytes\none head +\d+ ns\n[^]*byte by byte +\d+ ns\n$/,
  );
  expect(await run.exited).toBe(0);
});
