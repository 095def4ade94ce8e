/**
 * Files that the kernel sends, with a kernel that does whatever a row says: the client gets each byte once, and the
 * file is closed once.
 */
import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { FileCalls } from "../../../../src/worker/connection/file-sender.ts";
import { FakeEngine, nextTurn } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const size = 3_000_000;
const path = join(folder, "large");
const pattern = Buffer.from(Uint8Array.from({ length: size }, (_, index) => index % 251));
writeFileSync(path, pattern);

const get = (target: string, ...lines: string[]) =>
  [`GET ${target} HTTP/1.1`, "Host: x", ...lines, "", ""].join("\r\n");

/** How many descriptors of this process are of the file. */
function openFiles(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      // It has been closed meanwhile.
      return false;
    }
  }).length;
}

/** What a row makes of the kernel's calls: undefined, and they do what they should. */
interface Kernel {
  sendFile?(call: number): number | undefined;
  isCached?(call: number): boolean | undefined;
  readCached?(call: number): number | undefined;
}

/** Copies to the fake socket, as much as that has room for. */
function callsOn(wire: FakeWire, kernel: Kernel = {}): FileCalls & { sends: number } {
  let checks = 0;
  let reads = 0;
  const calls = {
    sends: 0,
    sendFile(socket: number, file: number, at: number, count: number): number {
      expect(socket).toBe(wire.fd);
      calls.sends += 1;
      const said = kernel.sendFile?.(calls.sends);
      if (said !== undefined && said <= 0) return said;
      const bytes = Buffer.alloc(Math.min(count, said ?? count, wire.room));
      if (bytes.length === 0) return -constants.errno.EAGAIN;
      return wire.write(bytes.subarray(0, readSync(file, bytes, 0, bytes.length, at)));
    },
    isCached: () => kernel.isCached?.((checks += 1)) ?? true,
    readCached: (file: number, at: number, into: Uint8Array) =>
      kernel.readCached?.((reads += 1)) ?? readSync(file, into, 0, into.length, at),
  };
  return calls;
}

/** Lets a client read, `perDrain` bytes at a time, until it has so many answers. */
async function readAll(engine: FakeEngine, wire: FakeWire, perDrain: number, answers: number) {
  const read = async () => {
    if (wire.room === 0) wire.drain(perDrain);
    await nextTurn();
  };
  while (engine.told.length < answers) await read();
  // What is told may be in the output yet.
  for (let left = 10; left > 0; left--) await read();
}

const usual = () => new Response(Bun.file(path));

interface Row {
  readonly kernel?: Kernel;
  readonly fetch?: () => Response;
  readonly lines?: readonly string[];
  readonly expected?: Buffer;
  /** None of it is left to the kernel. */
  readonly read?: boolean;
}

const { EAGAIN, EINVAL, EOPNOTSUPP } = constants.errno;

const rows: [claim: string, row: Row][] = [
  ["a file", {}],
  ["a file of which the kernel takes a little at a time", { kernel: { sendFile: () => 50_001 } }],
  [
    "a file to a socket that is full now and then",
    { kernel: { sendFile: (call) => (call % 2 === 0 ? -EAGAIN : 70_000) } },
  ],
  [
    "a file to a socket that is full at once",
    { kernel: { sendFile: (call) => (call === 1 ? -EAGAIN : undefined) } },
  ],
  ["a file of a file system that can't", { kernel: { sendFile: () => -EINVAL } }],
  [
    "a file of a file system that can't, nor say what is in memory",
    { kernel: { sendFile: () => -EINVAL, readCached: () => -EOPNOTSUPP } },
  ],
  ["a file that isn't in memory", { kernel: { isCached: () => false }, read: true }],
  ["a file of which parts aren't in memory", { kernel: { isCached: (call) => call % 2 === 0 } }],
  [
    "a file that leaves memory while the socket is full",
    {
      kernel: { sendFile: (call) => (call % 3 === 0 ? -EAGAIN : 9000), readCached: () => -EAGAIN },
    },
  ],
  [
    "a slice of a file",
    {
      fetch: () => new Response(Bun.file(path).slice(1_000_001, 2_500_000)),
      expected: pattern.subarray(1_000_001, 2_500_000),
    },
  ],
  [
    "a range of a file",
    { lines: ["Range: bytes=70001-2000000"], expected: pattern.subarray(70_001, 2_000_001) },
  ],
];

describe.each([Infinity, 65_536, 100_003])("a socket that takes %d bytes at a time", (perDrain) => {
  test.each(rows)("%s", async (_claim, row) => {
    const { kernel, fetch = usual, lines = [], expected = pattern, read = false } = row;
    const wire = new FakeWire();
    wire.room = perDrain;
    const calls = callsOn(wire, kernel);
    const engine = new FakeEngine(
      ({ url }) => (url.endsWith("/small") ? new Response("small") : fetch()),
      { files: calls },
    );
    engine.connect(wire);
    // The second of them isn't begun before the first is out.
    wire.send(get("/large", ...lines) + get("/small"));
    await readAll(engine, wire, perDrain, 2);
    const bytes = Buffer.from(wire.text, "latin1");
    const start = bytes.indexOf("\r\n\r\n") + 4;
    const body = bytes.subarray(start, start + expected.length);
    expect(body.equals(expected)).toBe(true);
    expect(bytes.subarray(start + expected.length).toString("latin1")).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nsmall$/,
    );
    expect(calls.sends > 0).toBe(!read);
    expect(openFiles()).toBe(0);
    expect(engine.inFlight).toBe(0);
    expect(engine.told.map((line) => line.split(" ").at(-1))).toEqual([
      String(expected.length),
      "5",
    ]);
  });
});

test.each([1, 100, 10_000])(
  "a file is read once, asked for when %d bytes of the answer before it are unread",
  async (unread) => {
    const wire = new FakeWire();
    wire.room = 0;
    const calls = callsOn(wire, { isCached: () => false });
    const before = "x".repeat(400_000);
    const engine = new FakeEngine(
      ({ url }) => (url.endsWith("/before") ? new Response(before) : usual()),
      { files: calls },
    );
    engine.connect(wire);
    wire.send(get("/before") + get("/large"));
    await nextTurn();
    wire.drain(before.length - unread);
    // The answer begins in this very turn, whose write empties the socket's way.
    wire.drain();
    await readAll(engine, wire, Number.POSITIVE_INFINITY, 2);
    const bytes = Buffer.from(wire.text, "latin1");
    expect(bytes.subarray(-size).equals(pattern)).toBe(true);
    expect(openFiles()).toBe(0);
  },
);

/** What ends the connection behind a file that was out of the client's hands for a while. */
const lasts: [claim: string, request: string, act: (wire: FakeWire) => void][] = [
  ["that is the last answer", get("/", "Connection: close"), () => {}],
  ["whose client sends nothing more", get("/"), (wire) => wire.fin()],
];

test.each(lasts)("behind a file %s the connection ends", async (_claim, request, act) => {
  for (const kernel of [{}, { isCached: () => false }]) {
    const wire = new FakeWire();
    wire.room = 100_000;
    const engine = new FakeEngine(usual, { files: callsOn(wire, kernel) });
    engine.connect(wire);
    wire.send(request);
    act(wire);
    await readAll(engine, wire, 100_000, 1);
    expect(wire.text.length).toBeGreaterThan(size);
    expect(wire.did.filter((what) => what !== "pause")).toEqual([
      request.includes("close") ? "shutdown" : "end",
    ]);
  }
});

/** How clients end, and what becomes of the file under way. */
const departures: [how: string, leave: (engine: FakeEngine, wire: FakeWire) => void][] = [
  ["by a reset", (_engine, wire) => wire.reset()],
  ["by a reset that a write meets", (_engine, wire) => (wire.reset(), wire.drain())],
  ["because it doesn't read", (engine) => engine.tick()],
];

describe.each(departures)("a client that leaves %s", (_how, leave) => {
  test.each([0, 1, 100, 70_000, 1_048_576, 1_100_000, 2_999_999])(
    "behind %d bytes: the file is closed, once",
    async (taken) => {
      for (const kernel of [{}, { isCached: () => false }, { sendFile: () => -EAGAIN }]) {
        const wire = new FakeWire();
        wire.room = taken;
        const engine = new FakeEngine(usual, { files: callsOn(wire, kernel) });
        engine.connect(wire);
        wire.send(get("/"));
        await engine.settle();
        wire.room = 0;
        leave(engine, wire);
        // Whoever opens a file next gets the lowest number that is free.
        const others = Array.from({ length: 4 }, () => openSync("/proc/self/exe", "r"));
        // A read on another thread may be under way, which still has the file.
        while (openFiles() > 0) {
          await nextTurn();
          engine.tick();
        }
        for (const fd of others) fstatSync(fd);
        for (const fd of others) closeSync(fd);
        expect(engine.inFlight).toBe(0);
        expect(engine.lines.filter((line) => line.startsWith("exception"))).toEqual([]);
      }
    },
  );
});

const endings: [claim: string, kernel: Kernel][] = [
  ["by sendfile()", { sendFile: (call) => (call === 1 ? 100_000 : 0) }],
  ["by a read of what is in memory", { sendFile: () => -EAGAIN, readCached: () => 0 }],
];

test.each(endings)("a file that was truncated meanwhile, as told %s", async (_claim, kernel) => {
  const wire = new FakeWire();
  const engine = new FakeEngine(usual, { files: callsOn(wire, kernel) });
  engine.connect(wire);
  wire.send(get("/"));
  await engine.settle();
  expect(engine.lines.filter((line) => line.startsWith("exception"))[0]).toMatch(
    /Content-Length is 3000000, the body has (0|100000) bytes/,
  );
  expect(wire.did).toContain("shutdown");
  expect(openFiles()).toBe(0);
});

test("a file gives others a turn behind each mebibyte", async () => {
  const wire = new FakeWire();
  const engine = new FakeEngine(usual, { files: callsOn(wire) });
  engine.connect(wire);
  wire.send(get("/"));
  const lengths = [wire.text.length];
  for (let turn = 0; turn < 4; turn++) {
    await nextTurn();
    lengths.push(wire.text.length);
  }
  expect(lengths.map((length) => Math.floor(length / 1_048_576))).toEqual([1, 2, 2, 2, 2]);
  expect(wire.text.length).toBeGreaterThan(size);
});

test("without `fd`, which Bun doesn't document, files are read", async () => {
  const wire = new FakeWire();
  const calls = callsOn(wire);
  const engine = new FakeEngine(usual, { files: calls });
  engine.connect(wire);
  Reflect.set(wire, "fd", undefined);
  wire.send(get("/"));
  await readAll(engine, wire, Number.POSITIVE_INFINITY, 1);
  expect(wire.text.length).toBeGreaterThan(size);
  expect(calls.sends).toBe(0);
});

test("whether a file is in memory is asked before its head is written, and not again for the same bytes", async () => {
  const wire = new FakeWire();
  const asked: number[] = [];
  const calls = callsOn(wire, {
    isCached: () => {
      asked.push(wire.text.length);
      return true;
    },
  });
  const engine = new FakeEngine(usual, { files: calls });
  engine.connect(wire);
  wire.send(get("/"));
  await readAll(engine, wire, Number.POSITIVE_INFINITY, 1);
  expect(asked.map((length) => Math.floor(length / 1_048_576))).toEqual([0, 1, 2]);
  expect(asked[0]).toBe(0);
});

test("whether a file is in memory isn't asked again within 20 ms, but of other files and of more of it", async () => {
  const other = join(folder, "other");
  writeFileSync(other, pattern.subarray(0, 500_000));
  let now = 0;
  let cached = true;
  let asked = 0;
  const wire = new FakeWire();
  const calls = callsOn(wire, {
    isCached: () => {
      asked += 1;
      return cached;
    },
  });
  const parts: Record<string, Blob> = {
    "/start": Bun.file(path).slice(0, 500_000),
    "/within": Bun.file(path).slice(100_000, 400_000),
    "/beyond": Bun.file(path).slice(100_000, 500_001),
    "/before": Bun.file(path).slice(1, 500_000),
    "/other": Bun.file(other),
  };
  const fetch = ({ url }: Request) => new Response(parts[new URL(url).pathname]);
  const engine = new FakeEngine(fetch, { files: calls, fileClock: () => now });
  engine.connect(wire);
  let answers = 0;
  const steps: [target: string, atMs: number, cached: boolean, asked: number][] = [
    ["/start", 0, true, 1],
    ["/within", 19, true, 0],
    ["/start", 20, true, 1],
    ["/other", 21, true, 1],
    ["/start", 22, true, 1],
    ["/beyond", 23, true, 1],
    ["/before", 24, true, 1],
    // What isn't there is asked for until it is; a read on another thread brings it.
    ["/start", 60, false, 3],
    ["/within", 61, true, 1],
    ["/within", 62, true, 0],
  ];
  for (const [target, atMs, isThere, expected] of steps) {
    now = atMs;
    cached = isThere;
    asked = 0;
    wire.send(get(target));
    await readAll(engine, wire, Number.POSITIVE_INFINITY, (answers += 1));
    expect([target, atMs, asked]).toEqual([target, atMs, expected]);
  }
  expect(openFiles()).toBe(0);
});
