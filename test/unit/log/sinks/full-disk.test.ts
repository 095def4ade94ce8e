// Real shortage: a limit on the file's size (EFBIG), and a file system that is full (ENOSPC).
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../support/server.ts";
import { testUnless } from "../../../support/wire.ts";

const folder = mkdtempSync(join(tmpdir(), "full-disk-"));
const fixtures = join(import.meta.dir, "../../../fixtures/log");
const names = ["a", "b", "c"];

afterAll(() => rmSync(folder, { recursive: true }));

/** Every line of every writer is there, whole, once, and each writer's are in their order. */
function expectAll(text: string, count: number): void {
  const lines = text.split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.filter((line) => !/^[abc] \d+ x* end$/.test(line))).toEqual([]);
  for (const name of names) {
    const numbers = lines.filter((line) => line.startsWith(name)).map((line) => line.split(" ")[1]);
    expect(numbers.map(Number)).toEqual(Array.from({ length: count }, (_, number) => number));
  }
}

const hasPrlimit = process.platform === "linux" && Bun.which("prlimit") !== null;

testUnless(!hasPrlimit)(
  "three writers at a file's limit wait for room, without a torn or lost line",
  async () => {
    const log = join(folder, "limited");
    const writers = names.map((name) => {
      const command = `ulimit -S -f 40 && exec "$@"`;
      const words = [process.execPath, join(fixtures, "writer.ts"), log, name, "200"];
      return Bun.spawn(["sh", "-c", command, "sh", ...words], {
        stdio: ["pipe", "pipe", "inherit"],
      });
    });
    const said = names.map(() => "");
    for (const [index, { stdout }] of writers.entries()) {
      void (async () => {
        for await (const chunk of stdout) said[index] += Buffer.from(chunk).toString();
      })();
    }
    await until("all to have written", () => said.every((text) => text.includes("written")));
    // 40 blocks of 512 bytes.
    expect(statSync(log).size).toBeLessThanOrEqual(20_480);
    const before = readFileSync(log, "utf8");
    expect(before).toEndWith(" end\n");
    for (const { pid } of writers) {
      Bun.spawnSync(["prlimit", "--pid", String(pid), "--fsize=unlimited:"]);
    }
    // Nobody writes any more: the timer does it.
    await until("the rest", () => statSync(log).size > 60_000);
    for (const writer of writers) {
      await writer.stdin.end();
      expect(await writer.exited).toBe(0);
    }
    expectAll(readFileSync(log, "utf8"), 200);
  },
  30_000,
);

const mount = `mount -t tmpfs -o size=64k none "$1" && shift`;
const inNamespace = ["unshare", "-rm", "sh", "-c", `${mount} && exec "$@"`, "sh", folder];
const canMount =
  Bun.which("unshare") !== null && Bun.spawnSync([...inNamespace, "true"]).exitCode === 0;
const needsNamespaces = canMount ? "" : " (needs user namespaces)";

// A container may forbid mounts; the limit above is there in any case.
test.skipIf(!canMount)(
  `three writers on a full file system wait for room, without a torn or lost line${needsNamespaces}`,
  () => {
    const program = [process.execPath, join(fixtures, "full-disk.ts"), folder];
    const { stdout, exitCode } = Bun.spawnSync([...inNamespace, ...program]);
    expect(exitCode).toBe(0);
    const { full, text } = JSON.parse(stdout.toString());
    expect(full).toBeLessThanOrEqual(16_384);
    expectAll(text, 150);
  },
  30_000,
);

test("what is still kept at the end is told", async () => {
  const program = `
    import { LogFile } from "${join(import.meta.dir, "../../../../src/log/sinks/log-file.ts")}";
    const file = new LogFile(process.argv[1], { owner: null, keptBytes: 1000, tellLoss: () => "" });
    file.write("x".repeat(30_000) + "\\n");
    file.close();
  `;
  const log = join(folder, "short");
  const words = [process.execPath, "-e", program, log];
  const { stderr, exitCode } = Bun.spawnSync([
    "sh",
    "-c",
    `ulimit -f 8; exec "$@"`,
    "sh",
    ...words,
  ]);
  expect(exitCode).toBe(0);
  expect(stderr.toString()).toBe(`30001 bytes of ${log} are lost: the disk is full\n`);
  expect(statSync(log).size).toBe(0);
});
