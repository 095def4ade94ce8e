/** The bench as people run it, short: that it works, not what it measures. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { treeOf } from "../../bench/process-tree.ts";
import { ratioLoads } from "../../bench/ratio/loads.ts";
import { readResult } from "../../bench/results.ts";
import { until } from "../support/server.ts";

setDefaultTimeout(600_000);

const program = join(import.meta.dir, "../../bench/main.ts");
const missing = Bun.which("wrk") === null;
const why = missing ? " (skipped: wrk isn't installed)" : "";
const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(args: readonly string[], path = process.env["PATH"], env = {}) {
  return Bun.spawn([process.execPath, program, ...args], {
    env: { PATH: path, HOME: process.env["HOME"], ...env },
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** A turn of a smoke run is so short that wrk may have started late, or got no answer, on a loaded machine. */
const tooShort = /got no answer|output can't be read/;

async function bench(args: readonly string[], path?: string, env?: Record<string, string>) {
  for (let chances = 3; ; chances--) {
    const run = start(args, path, env);
    const [output, complaints, code] = await Promise.all([
      run.stdout.text(),
      run.stderr.text(),
      run.exited,
    ]);
    if (chances > 0 && args.includes("--smoke") && tooShort.test(complaints)) continue;
    return { output, complaints, code };
  }
}

/** A folder for PATH with a program that says what it is told to. */
function programs(name: string, script: string): string {
  const place = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(place, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(place, name), 0o755);
  return `${place}:${process.env["PATH"]}`;
}

function savedTo(name: string): { readonly path: string; readonly words: readonly string[] } {
  const path = join(folder, name);
  return { path, words: ["--out", path] };
}

function chartOf(path: string): string {
  return readFileSync(path.replace(".json", ".svg"), "utf8");
}

describe(`--smoke${why}`, () => {
  test.skipIf(missing)("tune: a table, a curve, a recommendation and a verification", async () => {
    const { path, words } = savedTo("tune.json");
    const { output, complaints, code } = await bench(["tune", "--smoke", "--verify", ...words]);
    expect(output).toContain("Not verified: one turn of each can't tell.");
    expect(output).toMatch(/^1 +\d+ .*\n2 +\d+ /m);
    expect(output).toMatch(/^Recommended for hello: --workers [12]\.$/m);
    expect(output).toMatch(/^16 beside [12]: .*, the deliberately bad count/m);
    expect(complaints).toContain("bench: hello: sweep 1 of 1, 1 workers");
    const result = readResult(path);
    expect(result).toMatchObject({ kind: "tune", partial: false });
    expect(result.series.map(({ name }) => name)).toContain("hello, 2 workers: p99");
    expect(chartOf(path)).toContain(">2n+1</text>");
    expect(code).toBe(0);
  });

  test.skipIf(missing)("tune of an app that isn't ours, with words for the server", async () => {
    writeFileSync(
      join(folder, "mine.ts"),
      `export const app = { fetch: (request) => new Response(process.env.WHO, { status: request.url.endsWith("/api") ? 200 : 404 }) };`,
    );
    const app = ["tune", "mine:app", "--path", "/api", "--smoke", "--", "-e", "WHO=me"];
    const { output, complaints, code } = await bench(app);
    expect(complaints).not.toContain("Error");
    expect(output).toContain("Recommended for mine:app: --workers ");
    expect(output).not.toContain("failed");
    expect(code).toBe(0);
  });

  test.skipIf(missing)(
    "tune of a slow app that starts a program, in another folder, with a configuration and the environment of the caller",
    async () => {
      mkdirSync(join(folder, "inner"));
      writeFileSync(
        join(folder, "inner/slow.ts"),
        `Bun.spawn(["sleep", "60"]);
        export const fetch = async () => {
          await Bun.sleep(300); // a slow app
          const good = process.env.MINE === "yes" && process.env.CONFIGURED === "yes";
          return new Response("", { status: good ? 200 : 500 });
        };`,
      );
      const config = `export default { rawEnv: ["CONFIGURED=yes"] };`;
      writeFileSync(join(folder, "slow.conf.ts"), config);
      const words = ["tune", "slow:fetch", "--smoke", "--counts", "1,2,1", "--"];
      const server = ["-c", "slow.conf.ts", "--chdir", join(folder, "inner")];
      const { output, complaints, code } = await bench([...words, ...server], undefined, {
        MINE: "yes",
      });
      expect(complaints).not.toContain("rror");
      expect(output).toMatch(/^1 +\d+ .* 0 +\w[\w ]*$/m);
      expect(output).toContain("Recommended for slow:fetch: --workers ");
      expect(output).not.toContain("failed");
      expect(code).toBe(0);
    },
  );

  test("compare: a missing server alone is listed", async () => {
    const path = programs("wrk", "echo wrk 4.1.0");
    const words = ["compare", "--smoke", "--peer", "granian"];
    const { output, code } = await bench(words, path.split(":")[0]);
    expect(output).toContain("Not in the table: granian, not installed");
    expect(code).toBe(0);
  });

  test.skipIf(missing)(
    "compare: Markdown between the markers, the missing ones listed",
    async () => {
      const page = join(folder, "benchmarks.md");
      writeFileSync(page, "# x\n<!-- bench compare: begin -->\n<!-- bench compare: end -->\n");
      const peers = [
        "gunicorn-ts async",
        "gunicorn-ts serve",
        "Bun.serve x N, reusePort",
        "granian",
      ];
      const chosen = peers.flatMap((name) => ["--peer", name]);
      const words = ["compare", "--smoke", ...chosen, "--write-docs", "--docs", page];
      const { output, code } = await bench(words);
      const written = readFileSync(page, "utf8");
      for (const name of peers) expect(written).toContain(name);
      expect(written).toMatch(/^```sh\nbun run bench compare --smoke --peer 'gunicorn-ts async'/m);
      expect(written).toContain(output.trim());
      expect(written).toMatch(/^\| gunicorn-ts async \(.*\| 0 +\|$/m);
      expect(written).toMatch(/^\| gunicorn-ts serve \(.*\| 0 +\|$/m);
      expect(code).toBe(0);
    },
  );

  test.skipIf(missing)("compare over TLS", async () => {
    const peers = ["--peer", "gunicorn-ts async", "--peer", "Bun.serve x 1"];
    // A loaded machine needs longer than a smoke run for the handshakes alone.
    const turns = ["--rounds", "1", "--seconds", "4", ...savedTo("tls.json").words];
    const { output, code } = await bench(["compare", "--load", "tls", ...turns, ...peers]);
    if (Bun.which("openssl") !== null) {
      expect(output).toMatch(/^\| gunicorn-ts async .*\| 0 +\|$/m);
      expect(output).toMatch(/^\| Bun\.serve x 1 .*\| 0 +\|$/m);
    }
    expect(code).toBe(0);
  });

  test("soak with mixed clients: no wrong byte, no descriptor more", async () => {
    const { output, complaints, code } = await bench(["soak", "--clients", "mixed", "--smoke"]);
    expect(output, complaints).toMatch(/^exchanges .*\d+ upload.*; 0 went wrong$/m);
    expect(output).toContain("Nothing speaks against the server.");
    expect(code).toBe(0);
  });

  test("overload: without shed_latency_ms and with it", async () => {
    const { path, words } = savedTo("overload.json");
    const { output, complaints, code } = await bench(["overload", "--smoke", ...words]);
    // How much of it is done in time isn't said: the machine has other things to do.
    expect(output, complaints).toMatch(/^without\n\nload .*\n2 x /m);
    expect(output).toMatch(/^with --shed-latency-ms 50\n\nload .*\n2 x /m);
    const names = readResult(path).series.map(({ name }) => name);
    expect(names).toContain("2 x, with --shed-latency-ms 50: in time");
    expect(chartOf(path)).toContain(">Answered in time, without</text>");
    expect(code).toBe(0);
  });

  test.skipIf(missing)("soak: nothing fails through HUPs and recycling", async () => {
    const { path, words } = savedTo("soak.json");
    const { output, complaints, code } = await bench(["soak", "--smoke", ...words]);
    expect(output, complaints).toMatch(/^requests +\d+, of which failed: 0$/m);
    expect(output).toMatch(/^events +[1-9] HUPs, \d+ workers seen$/m);
    expect(output).toContain("No request failed.");
    expect(readResult(path).series.map(({ name }) => name)).toContain("memory");
    expect(chartOf(path)).toContain(">Slowest requests</text>");
    expect(code).toBe(0);
  });

  test.skipIf(missing)(
    "engine: ns and bytes of each row, then the ratios; diff reads both",
    async () => {
      const [first, second] = [savedTo("engine-1.json"), savedTo("engine-2.json")];
      const { output, code } = await bench(["engine", "--smoke", ...first.words]);
      expect(output).toMatch(/^ours +parse: one head +\d+ ns +\d+ ns +\d+ bytes$/m);
      expect(output).toMatch(/^native +new Headers\(10 pairs\) +\d+ ns/m);
      for (const { name } of ratioLoads) {
        const row = output.split("\n").find((line) => line.startsWith(`${name} `));
        // wrk takes Bun.serve's way to close a TLS connection for an error.
        expect(row).toMatch(name === "tls-handshakes" ? /<= .* \d+$/ : /<= .* 0$/);
      }
      expect(code).toBe(0);
      expect((await bench(["engine", "--smoke", "--alone", ...second.words])).code).toBe(0);
      const compared = await bench(["diff", first.path, second.path, "--all"]);
      expect(compared.output).toMatch(/^parse: one head +\S+ -> \S+ ns /m);
      expect(compared.output).toMatch(/\d+ better, \d+ worse, \d+ within noise/);
      expect(compared.code).toBe(0);
    },
  );

  test.skipIf(missing)("ratio: only the loads that are asked for", async () => {
    const loads = ["start", "start-package"].flatMap((name) => ["--load", name]);
    const { output, code } = await bench(["ratio", "--smoke", ...loads]);
    expect(output).toMatch(/^start +\d+/m);
    expect(output).toMatch(/^start-package +\d+/m);
    expect(output).not.toMatch(/^hello/m);
    expect(code).toBe(0);
  });
});

test.skipIf(missing)(`Ctrl-C leaves no process, and keeps what was measured${why}`, async () => {
  const { path, words } = savedTo("partial.json");
  const run = start(["tune", "--load", "io-wait", "--counts", "1,2", "--budget", "20", ...words]);
  // The bench, the master, wrk, and the second worker, which comes when the first count has been measured.
  const tree = await until("the second visit", async () => {
    const pids = treeOf(run.pid);
    const names = await Promise.all(
      pids.map((pid) =>
        Bun.file(`/proc/${pid}/comm`)
          .text()
          .catch(() => ""),
      ),
    );
    return pids.length >= 5 && names.some((name) => name.startsWith("wrk")) ? pids : null;
  });
  run.kill("SIGINT");
  expect(await run.stdout.text()).toContain("Recommended for io-wait: --workers 1.");
  expect(await run.exited).toBe(130);
  expect(readResult(path).partial).toBe(true);
  await until("every process to be gone", () =>
    Promise.all(tree.map((pid) => Bun.file(`/proc/${pid}/stat`).exists())).then(
      (alive) => !alive.includes(true),
    ),
  );
});

test.skipIf(missing)(`Ctrl-C before the first figure says that there is none${why}`, async () => {
  const { path, words } = savedTo("nothing.json");
  const run = start(["tune", "--load", "io-wait", "--counts", "1", "--budget", "20", ...words]);
  await until("the server", () => treeOf(run.pid).length >= 2);
  run.kill("SIGINT");
  expect(await run.stderr.text()).toContain("bench: interrupted: nothing was measured");
  expect(await run.exited).toBe(130);
  expect(await Bun.file(path).exists()).toBe(false);
});

const recorded = join(import.meta.dir, "../unit/bench/recorded/oha-1.16.0-good.json");
const replay = `case "$1" in
--version) echo "oha 1.16.0" ;;
--help) echo "--output-format" ;;
*) exec cat ${recorded} ;;
esac`;

/** The last two with a program that replays a recorded report, since oha isn't a package of Debian. */
const ohas: [what: string, words: readonly string[], script: string | null, expected: RegExp][] = [
  [
    "isn't there",
    ["tune", "--smoke"],
    null,
    /^bench: oha isn't installed: cargo install oha --locked\n$/,
  ],
  [
    "is npm's package of that name",
    ["tune", "--smoke"],
    "echo 1.0.0",
    /^bench: the oha on PATH isn't the load generator hatoo\/oha: cargo install oha --locked\n$/,
  ],
  ["writes its report", ["tune", "--smoke"], replay, /Recommended for hello: --workers 1\./],
  [
    "can't do it",
    ["tune", "--smoke", "--load", "pipelined"],
    replay,
    /pipelined: oha can't pipeline/,
  ],
];
test.each(ohas)("an oha that %s", async (_what, words, script, expected) => {
  const path = script === null ? "/nonexistent" : programs("oha", script);
  const { output, complaints } = await bench([...words, "--driver", "oha"], path);
  expect(script === replay ? output : complaints).toMatch(expected);
});

// A plain condition: oha comes from Cargo only, and where it is it must work.
if (Bun.which("oha") !== null) {
  test("the real oha drives", async () => {
    const { output, code } = await bench(["tune", "--smoke", "--driver", "oha", "--load", "mixed"]);
    expect(output).toContain("Recommended for mixed: --workers ");
    expect(code).toBe(0);
  });
}

test("a missing wrk is one sentence", async () => {
  const { complaints, code } = await bench(["ratio", "--smoke"], "/nonexistent");
  expect(complaints).toBe("bench: wrk isn't installed; on Debian: apt-get install wrk\n");
  expect(code).toBe(1);
});

test("without a subcommand it shows its usage", async () => {
  const { output, code } = await bench([]);
  for (const name of ["tune", "compare", "engine", "ratio", "growth", "soak", "diff"]) {
    expect(output).toContain(name);
  }
  expect(code).toBe(2);
});

const wrong: [words: readonly string[], message: string][] = [
  [["tune", "--nope"], "'--nope'"],
  [["tune", "a:b", "c:d"], "one app at a time"],
  [["tune", "a:b", "--load", "hello"], "--load is for the built-in loads"],
  [["engine", "--smoke", "--alone", "--out", "."], "--out: EISDIR"],
  [["compare", "--write-docs", "--smoke"], "a smoke run proves nothing"],
  [["tune", "--counts", "1,x"], "--counts: must be numbers above 0, got 1,x"],
  [["tune", "--driver", "ab"], "--driver: must be wrk or oha, got ab"],
  [["compare", "--peer", "apache"], "--peer: must be one of gunicorn-ts async, "],
  [["compare", "--write-docs", "--docs", "none.md"], "ENOENT"],
  [["engine", "--smoke", "--alone", "--out", "/dev/null/x/y.json"], "--out: "],
  [["soak", "--clients", "slow"], "--clients: must be fast or mixed, got slow"],
  [["soak", "--minutes", "0"], "--minutes: must be a number above 0, got 0"],
  [["diff", "one.json"], "diff compares two files"],
  [["diff", "one.json", "two.json"], "one.json: ENOENT"],
];
test.each(wrong)("refused: %p", async (words, message) => {
  const { complaints, code } = await bench(words);
  expect(complaints).toStartWith("bench: ");
  expect(complaints).toContain(message);
  expect(code).toBe(1);
});
