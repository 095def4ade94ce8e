import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testUnless } from "../../../support/wire.ts";

const streams = JSON.stringify(
  join(import.meta.dir, "../../../../src/log/sinks/standard-stream.ts"),
);

/** Runs a program whose standard output is a file, and answers with what stands there. */
function outputOf(body: string): string {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-stream-"));
  const program = `import { StandardStream } from ${streams};
    const limit = (bytes) => Bun.spawnSync(["prlimit", "--pid", String(process.pid), "--fsize=" + bytes + ":"]);
    const line = (letter) => letter.repeat(39) + "\\n";
    const tellLoss = (bytes, name) => bytes + " of " + name + "\\n";
    const stream = new StandardStream(1, tellLoss);
    ${body}`;
  const out = join(folder, "out");
  const command = ["sh", "-c", `exec "$0" -e "$1" > "$2"`, process.execPath, program, out];
  const { exitCode, stderr } = Bun.spawnSync(command);
  expect(stderr.toString()).toBe("");
  expect(exitCode).toBe(0);
  const text = readFileSync(out, "utf8");
  rmSync(folder, { recursive: true });
  return text;
}

const line = (letter: string, length = 39) => letter.repeat(length);
const limits = testUnless(Bun.which("prlimit") === null);

limits(
  "what a full disk hasn't taken is counted, and told behind the first line that it takes",
  () => {
    const text = outputOf(`
    limit(100);
    for (const letter of "abcd") stream.write(line(letter));
    limit("unlimited");
    for (const letter of "ef") stream.write(line(letter));
    stream.close();
  `);
    const told = "60 of standard output";
    const lines = [line("a"), line("b"), line("c", 20), line("e"), told, line("f"), ""];
    expect(text.split("\n")).toEqual(lines);
  },
);

limits("what is lost is told at the end, if that is taken", () => {
  const text = outputOf(`
    limit(20);
    stream.write(line("a"));
    limit("unlimited");
    stream.close();
  `);
  expect(text).toBe(`${line("a", 20)}\n20 of standard output\n`);
});

test("nobody reads: no error, and the process goes on", () => {
  const program = `import { StandardStream } from ${streams};
    const stream = new StandardStream(1, () => "");
    await Bun.sleep(0);
    for (let at = 0; at < 100; at++) stream.write("x".repeat(5000) + "\\n");
    stream.close();
    console.error("done");`;
  const command = ["sh", "-c", `"$0" -e "$1" | true`, process.execPath, program];
  const { stderr } = Bun.spawnSync(command);
  expect(stderr.toString()).toBe("done\n");
});
