import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogFile, type LogFileOptions } from "../../../../src/log/sinks/log-file.ts";
import { isRoot, needsRoot } from "../../../support/needs.ts";
import { until } from "../../../support/server.ts";
import { testUnless } from "../../../support/wire.ts";

const folder = mkdtempSync(join(tmpdir(), "log-file-"));
const read = (name: string) => readFileSync(join(folder, name), "utf8");

const options: LogFileOptions = {
  owner: null,
  keptBytes: 1024 * 1024,
  tellLoss: (bytes) => `${bytes} bytes are lost\n`,
};

afterAll(() => rmSync(folder, { recursive: true }));

test("appends, and after a rename goes on in the old file until it is reopened", () => {
  const file = new LogFile(join(folder, "log"), options);
  file.write("one\n");
  renameSync(join(folder, "log"), join(folder, "log.1"));
  file.write("two\n");
  expect(existsSync(join(folder, "log"))).toBe(false);
  file.reopen();
  file.write("three\n");
  expect([read("log.1"), read("log")]).toEqual(["one\ntwo\n", "three\n"]);
});

test("a file that can't be reopened is an error, and the old one goes on", () => {
  const path = join(folder, "gone", "log");
  expect(() => new LogFile(path, options)).toThrow("ENOENT");
  Bun.spawnSync(["mkdir", join(folder, "gone")]);
  const file = new LogFile(path, options);
  renameSync(join(folder, "gone"), join(folder, "moved"));
  expect(() => file.reopen()).toThrow("ENOENT");
  file.write("still here\n");
  expect(read("moved/log")).toBe("still here\n");
});

const onLinux = process.platform === "linux";

testUnless(!onLinux)("what a full disk has no room for is written when it has", () => {
  symlinkSync("/dev/full", join(folder, "full"));
  const file = new LogFile(join(folder, "full"), options);
  file.write("one\n");
  file.write("two\n");
  rmSync(join(folder, "full"));
  file.reopen();
  file.write("three\n");
  expect(read("full")).toBe("one\ntwo\nthree\n");
});

testUnless(!onLinux)(
  "more than 1 MiB isn't kept: whole lines are lost, the oldest, and a line says so",
  () => {
    symlinkSync("/dev/full", join(folder, "fuller"));
    const file = new LogFile(join(folder, "fuller"), options);
    const line = `${"x".repeat(1023)}\n`;
    for (let count = 0; count < 1030; count++) file.write(line);
    rmSync(join(folder, "fuller"));
    file.reopen();
    file.write("end\n");
    const lines = read("fuller").split("\n");
    expect(lines[0]).toMatch(/^\d+ bytes are lost$/);
    expect(lines.at(-2)).toBe("end");
    expect(lines.slice(1, -2).every((each) => each.length === 1023)).toBe(true);
  },
);

test.skipIf(!isRoot)(`belongs to whom it is to belong${needsRoot}`, () => {
  const file = new LogFile(join(folder, "owned"), {
    ...options,
    owner: { uid: 65534, gid: 65534 },
  });
  const { uid, gid } = statSync(join(folder, "owned"));
  expect([uid, gid]).toEqual([65534, 65534]);
  expect(file.path).toBe(join(folder, "owned"));
});

test("a pipe is refused while nobody reads it, and takes lines when somebody does", async () => {
  const path = join(folder, "pipe");
  Bun.spawnSync(["mkfifo", path]);
  expect(() => new LogFile(path, options)).toThrow("ENXIO");
  const reader = Bun.spawn(["head", "-n1", path], { stdout: "pipe" });
  const file = await until("the reader", () => openIfRead(path));
  file.write("one\n");
  expect(await new Response(reader.stdout).text()).toBe("one\n");
  file.close();
});

function openIfRead(path: string): LogFile | null {
  try {
    return new LogFile(path, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENXIO") return null;
    throw error;
  }
}

test.each([
  ["a file", "LogFile", ""],
  ["a rotating file", "RotatingFile", ", maxBytes: 10, backupCount: 1, onProblem() {}"],
])("%s that is closed leaves its descriptor's number alone", (_name, Class, more) => {
  const source = (name: string) =>
    JSON.stringify(join(import.meta.dir, "../../../../src/log/sinks", name));
  const program = `
    import { fstatSync, openSync, readFileSync } from "node:fs";
    import { LogFile } from ${source("log-file.ts")};
    import { RotatingFile } from ${source("rotating-file.ts")};
    const [path, other, end] = process.argv.slice(1);
    const file = new ${Class}(path, { owner: null, keptBytes: 1000, tellLoss: () => ""${more} });
    file.write("one" + end);
    file.close();
    const fd = openSync(other, "w");
    file.write("late" + end);
    file.reopen();
    file.flush();
    file.close();
    fstatSync(fd);
    console.log(JSON.stringify([readFileSync(path, "utf8"), readFileSync(other, "utf8")]));
  `;
  const words = [join(folder, "closed"), join(folder, "others"), "\n"];
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", program, ...words]);
  // Whoever is late is read on standard error.
  expect(stderr.toString()).toBe("late\n");
  expect(JSON.parse(stdout.toString())).toEqual(["one\n", ""]);
  rmSync(join(folder, "closed"));
});
