import { afterAll, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PidFile, PidFileError } from "../../../../src/os/processes/pid-file.ts";

const root = mkdtempSync(join(tmpdir(), "gunicorn-ts-pid-"));
let folder: string;
let path: string;
let count = 0;

beforeEach(() => {
  folder = join(root, String(count++));
  path = join(folder, "pid");
  mkdirSync(folder);
});

afterAll(() => rmSync(root, { recursive: true }));

function failureOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof PidFileError) return error.message;
    throw error;
  }
  return "none";
}

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = Bun.spawn(["true"]);
  await child.exited;
  return child.pid;
}

test("create() writes the process id, readable for all, whatever the umask", () => {
  const umask = process.umask(0o077);
  try {
    new PidFile(path).create();
  } finally {
    process.umask(umask);
  }
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  expect(readdirSync(folder)).toEqual(["pid"]);
});

test.each(["", "\n", "garbage", "0", "-1", "12x", "99999999999", "1.5", "9".repeat(10)])(
  "create() overwrites a file with %j",
  (text) => {
    writeFileSync(path, text);
    new PidFile(path).create();
    expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  },
);

test("create() overwrites the file of a dead process, its own, and that of a container before", async () => {
  writeFileSync(path, `${await deadPid()}\n`);
  const file = new PidFile(path);
  file.create();
  file.create();
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  file.remove();
  writeFileSync(path, `${process.pid}\n`);
  new PidFile(path).create();
});

test.each<[string, () => number | Promise<number>]>([
  ["a stranger's process", () => process.ppid],
  ["process 1, perhaps of another user", () => 1],
  [
    "a thread",
    () => Number(readdirSync("/proc/self/task").find((id) => Number(id) !== process.pid)),
  ],
])("create() overwrites a file that %s has the number of", async (_whose, number) => {
  const pid = await number();
  expect(pid).toBeGreaterThan(0);
  writeFileSync(path, `${pid}\n`);
  new PidFile(path).create();
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
});

test.each([1, 4242, process.pid])(
  "create() refuses a file that another master holds, with the number %d",
  (number) => {
    const holder = new PidFile(path, number);
    holder.create();
    const message = `Already running on PID ${number} (or pid file '${path}' is stale)`;
    expect(failureOf(() => new PidFile(path).create())).toBe(message);
    expect(readFileSync(path, "utf8")).toBe(`${number}\n`);
    // With its end the lock is gone.
    holder.rename(null);
    writeFileSync(path, `${number}\n`);
    new PidFile(path).create();
  },
);

test("create() leaves alone what is no pid file", () => {
  writeFileSync(path, "x".repeat(65));
  expect(failureOf(() => new PidFile(path).create())).toBe(
    `pidfile: ${path} holds something else, and won't be overwritten`,
  );
  expect(readFileSync(path, "utf8")).toBe("x".repeat(65));
  rmSync(path);
  // Opened to read, it would wait for a writer.
  Bun.spawnSync(["mkfifo", path]);
  expect(failureOf(() => new PidFile(path).create())).toBe(
    `pidfile: ${path} is not a regular file, and won't be replaced by one`,
  );
  rmSync(path);
  const target = join(folder, "target");
  writeFileSync(target, "1\n");
  symlinkSync(target, path);
  new PidFile(path).create();
  expect(readFileSync(target, "utf8")).toBe("1\n");
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
});

test("create() says which folder is missing", () => {
  const lost = join(folder, "nowhere/pid");
  const message = `pidfile: ${join(folder, "nowhere")} doesn't exist. Can't create pidfile.`;
  expect(failureOf(() => new PidFile(lost).create())).toBe(message);
  writeFileSync(join(folder, "file"), "");
  const below = failureOf(() => new PidFile(join(folder, "file/pid")).create());
  expect(below).toBe(`pidfile: ${join(folder, "file")} doesn't exist. Can't create pidfile.`);
});

test("create() says why it can't read or write", () => {
  mkdirSync(path);
  expect(failureOf(() => new PidFile(path).create())).toBe(
    `pidfile: ${path} is not a regular file, and won't be replaced by one`,
  );
  if (process.getuid?.() === 0) return;
  const closed = join(folder, "closed");
  mkdirSync(closed);
  chmodSync(closed, 0o555);
  expect(failureOf(() => new PidFile(join(closed, "pid")).create())).toBe(
    `pidfile: ${join(closed, "pid")} can't be written: EACCES`,
  );
});

test("remove() spares what another process has written", () => {
  const file = new PidFile(path);
  file.create();
  writeFileSync(path, `${process.ppid}\n`);
  file.remove();
  expect(existsSync(path)).toBe(true);
  writeFileSync(path, `${process.pid}\n`);
  file.remove();
  expect(existsSync(path)).toBe(false);
  // Somebody was faster.
  file.remove();
});

test("rename() moves the file, and leaves all as it was when it can't", () => {
  const second = `${path}.2`;
  const file = new PidFile(second);
  file.create();
  const other = new PidFile(path, process.ppid);
  other.create();
  expect(failureOf(() => file.rename(path))).toStartWith("Already running on PID");
  expect(file.path).toBe(second);
  expect(existsSync(second)).toBe(true);
  other.remove();
  file.rename(path);
  expect(readdirSync(folder)).toEqual(["pid"]);
  // A reload writes a lost file anew.
  rmSync(path);
  file.rename(path);
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  file.rename(null);
  expect(file.path).toBeNull();
  expect(readdirSync(folder)).toEqual([]);
});

test("no path, no file", () => {
  const file = new PidFile(null);
  file.create();
  file.remove();
  file.rename(path);
  expect(readdirSync(folder)).toEqual(["pid"]);
});

test("a relative path stays what it was when the directory changes", () => {
  const before = process.cwd();
  process.chdir(folder);
  const file = new PidFile("pid");
  process.chdir(before);
  file.create();
  expect(existsSync(path)).toBe(true);
});
