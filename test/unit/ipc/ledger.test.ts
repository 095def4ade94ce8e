import { expect, test } from "bun:test";
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counted, Ledger, ledgerBytes } from "../../../src/ipc/ledger.ts";
import { createNamelessFile } from "../../../src/os/shared-memory.ts";

/** A descriptor of memory, once more for whoever inherits it. */
function memory(): [fd: number, inherited: number] {
  const fd = createNamelessFile(tmpdir(), ledgerBytes);
  return [fd, openSync(`/proc/self/fd/${fd}`, "r+")];
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    // EBADF.
    return false;
  }
}

test("each master reads what the other one has written last, by names", () => {
  const [fd, inherited] = memory();
  const old = Ledger.create(fd, ["requests", "answers.2"]);
  closeSync(fd);
  const next = Ledger.inherit(inherited) as Ledger;
  expect(isOpen(inherited)).toBe(false);
  const nothing: Counted = { requests: 0, "answers.2": 0 };
  expect([old.read(), next.read()]).toEqual([nothing, nothing]);
  old.write({ requests: 3, "answers.2": 2 });
  next.write({ requests: 0.5, unknown: 7 });
  expect(next.read()).toEqual({ requests: 3, "answers.2": 2 });
  expect(old.read()).toEqual({ requests: 0.5, "answers.2": 0 });
  old.write({ requests: 4, "answers.2": 2 });
  expect(next.read()["requests"]).toBe(4);
});

test("there is room for so many names", () => {
  const [fd, inherited] = memory();
  const names = Array.from({ length: 300 }, (_, index) => `name.${index}`);
  Ledger.create(fd, names).write({ "name.299": 1 });
  expect(Ledger.inherit(inherited)?.read()).toMatchObject({ "name.0": 0, "name.299": 1 });
  for (const count of [400, 600]) {
    const many = Array.from({ length: count }, (_, index) => `name.${index}`);
    expect(() => Ledger.create(fd, many)).toThrow(RangeError);
  }
  closeSync(fd);
});

const head = (text: string) => (fd: number) => void writeSync(fd, text, 0);
const others: readonly (readonly [what: string, spoil: (fd: number) => void])[] = [
  ["memory that is shorter", (fd) => ftruncateSync(fd, ledgerBytes - 1)],
  ["memory without a head", () => {}],
  ["another version", head('{"version":2,"names":["requests"]}')],
  ["what isn't JSON", head("{")],
  ["null", head("null")],
  ["names that are none", head('{"version":1,"names":[1]}')],
  ["more names than there is room for", head(`{"version":1,"names":[${"1,".repeat(600)}1]}`)],
];
test.each(others)("%s is not taken over, and stays open", (_what, spoil) => {
  const [fd, inherited] = memory();
  spoil(fd);
  closeSync(fd);
  expect(Ledger.inherit(inherited)).toBeNull();
  expect(isOpen(inherited)).toBe(true);
  closeSync(inherited);
});

test("a descriptor that isn't there, or is of something else, is not taken over", () => {
  for (const fd of [9999, Number.NaN, -1, openSync("/dev/null", "r+"), openSync("/", "r")])
    expect(Ledger.inherit(fd)).toBeNull();
  const readable = openSync(join(import.meta.dir, "ledger.test.ts"), "r");
  expect(Ledger.inherit(readable)).toBeNull();
});
