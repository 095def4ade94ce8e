import { expect, test } from "bun:test";
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpenFile, openFile, streamOf } from "../../../../src/http/response/file.ts";
import { frameFile } from "../../../../src/http/response/file-framing.ts";
import { noFields } from "../../../../src/http/response/head/app-fields.ts";
import { newContext } from "../../../../src/http/response/head/head.ts";
import { until } from "../../../support/server.ts";

const rounds = 20;
const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-file-"));
const large = join(folder, "large");
const pattern = Uint8Array.from({ length: 1_000_000 }, (_, index) => index % 251);
writeFileSync(large, pattern);

type Reader = ReturnType<typeof read>;

/** The numbers of all descriptors open now. */
const openFds = () => readdirSync("/proc/self/fd").filter((name) => isOpen(Number(name)));

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

function read(path = large, start = 0, length = Infinity) {
  const { body } = openFile(path, start, length, null, false);
  if (!(body instanceof OpenFile)) throw new Error("it is read at once");
  return streamOf(body).getReader();
}

async function readAll(reader: Reader): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let next = await reader.read(); !next.done; next = await reader.read())
    chunks.push(next.value);
  return Buffer.concat(chunks);
}

/** Asks for chunks, and cancels when a read of the file is under way: the stream begins it some microtasks later. */
async function cancelUnderRead(reader: Reader, reads = 1): Promise<void> {
  const pending = Array.from({ length: reads }, () => reader.read());
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await reader.cancel();
  expect((await Promise.all(pending)).every(({ done }) => done)).toBe(true);
}

/** What becomes of a stream. */
const ends: [how: string, end: (reader: Reader) => Promise<unknown>][] = [
  ["is read to its end", readAll],
  ["is read to its end and cancelled", async (reader) => [await readAll(reader), reader.cancel()]],
  ["is cancelled before it is read", (reader) => reader.cancel()],
  ["is cancelled before a read begins", (reader) => Promise.all([reader.read(), reader.cancel()])],
  ["is cancelled twice", (reader) => Promise.all([reader.cancel(), reader.cancel()])],
  ["is cancelled between reads", async (reader) => [await reader.read(), await reader.cancel()]],
  ["is cancelled under the first read", (reader) => cancelUnderRead(reader)],
  ["is cancelled under several reads", (reader) => cancelUnderRead(reader, 3)],
  [
    "is cancelled under a later read",
    async (reader) => {
      await reader.read();
      await cancelUnderRead(reader);
    },
  ],
  [
    "is cancelled under the last read",
    async (reader) => {
      for (let size = 0; size < 786_432;) size += (await reader.read()).value?.byteLength ?? 0;
      await cancelUnderRead(reader);
    },
  ],
];

test.each(ends)("a file that %s closes its own descriptor, and no other", async (_, end) => {
  const before = openFds();
  for (let round = 0; round < rounds; round++) {
    await end(read());
    // Whoever opens a file next gets the lowest number that is free.
    const others = Array.from({ length: 4 }, () => openSync("/proc/self/exe", "r"));
    // A read that nobody waits for any more may still be under way: these are behind it.
    await readAll(read());
    const stillOpen = others.filter(isOpen);
    for (const fd of stillOpen) closeSync(fd);
    expect(stillOpen).toEqual(others);
  }
  // What a cancelled read of Bun's has open is closed a moment later.
  await until("it to be closed", () => openFds().every((fd) => before.includes(fd)));
});

test.each([
  ["all of it", 0, Infinity],
  ["a part of several chunks", 100_000, 700_000],
  ["a part beyond the end", 500_001, 10_000_000],
])("%s comes as it is", async (_, start, length) => {
  const bytes = await readAll(read(large, start, length));
  expect(bytes.equals(pattern.subarray(start, start + length))).toBe(true);
});

test.each([large, "/proc/sys/kernel/ostype"])(
  "%s is closed when its head can't be made",
  async (path) => {
    const before = openFds();
    const response = new Response(Bun.file(path));
    Object.defineProperty(response, "statusText", {
      get() {
        throw new Error("by the app");
      },
    });
    const frame = () => frameFile(response, Bun.file(path), path, "", noFields, newContext());
    expect(frame).toThrow("by the app");
    await until("it to be closed", () => openFds().every((fd) => before.includes(fd)));
  },
);

test("a part of a file that doesn't know its size ends where it is to end", async () => {
  const { body, length } = openFile("/proc/sys/kernel/ostype", 1, 3, null, false);
  expect(length).toBe(null);
  expect((await readAll((body as ReadableStream<Uint8Array>).getReader())).toString()).toBe("inu");
});

test("a part of a FIFO ends where it is to end, whatever is written behind", async () => {
  const path = join(folder, "fifo-part");
  Bun.spawnSync(["mkfifo", path]);
  const before = openFds();
  const { body } = openFile(path, 6, 4, null, false);
  const pending = readAll((body as ReadableStream<Uint8Array>).getReader());
  Bun.spawnSync(["sh", "-c", `(printf 0123; sleep 0.1; echo 456789abc) > '${path}'`]);
  expect((await pending).toString()).toBe("6789");
  await until("all to be closed", () => openFds().every((fd) => before.includes(fd)));
});

test("a FIFO keeps nobody waiting but those who read it", async () => {
  const path = join(folder, "fifo");
  Bun.spawnSync(["mkfifo", path]);
  // Whoever waits within openFile() gets its word.
  const code = `setTimeout(() => require("node:fs").writeFileSync(${JSON.stringify(path)}, "late"), 3000)`;
  await using late = Bun.spawn([process.execPath, "-e", code], { stdio: ["ignore", null, null] });
  const before = openFds();
  const { body, length } = openFile(path, 0, Infinity, null, false);
  if (!(body instanceof ReadableStream)) throw new Error("it has a length");
  const pending = readAll(body.getReader());
  Bun.spawnSync(["sh", "-c", `echo written > '${path}'`]);
  expect([length, (await pending).toString()]).toEqual([null, "written\n"]);
  const { body: unread } = openFile(path, 0, Infinity, null, false);
  const reader = (unread as ReadableStream<Uint8Array>).getReader();
  const read = reader.read();
  await reader.cancel();
  expect((await read).done).toBe(true);
  await until("all to be closed", () => openFds().every((fd) => before.includes(fd)));
  late.kill();
});
