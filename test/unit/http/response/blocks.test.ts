import { expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blockBytes, giveBlock, takeBlock } from "../../../../src/http/response/blocks.ts";
import { httpDate } from "../../../../src/http/response/head/date.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";
import { OutputBuffer } from "../../../../src/http/response/output.ts";
import { encodeFixed, prepareResponse } from "../../../../src/http/response/response.ts";

installResponse();

/** A client that takes `room` bytes at each write. */
class Client {
  readonly output = new OutputBuffer();
  readonly writes: string[] = [];
  room = Infinity;

  write(): boolean {
    let room = this.room;
    return this.output.writeTo({
      write: (data) => {
        const piece = Buffer.from(data).toString("latin1", 0, Math.min(room, data.length));
        room -= piece.length;
        this.writes.push(piece);
        return piece.length;
      },
    });
  }

  get received(): string {
    return this.writes.join("");
  }
}

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-blocks-"));

function fileOf(size: number, letter = "x"): string {
  const path = join(folder, `${size}${letter}`);
  writeFileSync(path, letter.repeat(size));
  return path;
}

function answer(client: Client, path: string, headers: Record<string, string> = {}, head = false) {
  const context = { head, versionMinor: 1, keepAlive: true, date: httpDate(0), request: null };
  const prepared = prepareResponse(new Response(Bun.file(path), { headers }), context);
  if (prepared.type !== "fixed") throw new Error(`Not fixed: ${prepared.type}`);
  encodeFixed(prepared, client.output);
}

const bodyOf = (received: string) => received.slice(received.indexOf("\r\n\r\n") + 4);

const sizes = [0, 1, 4095, 4096, 16_384, 65_535, 65_536];

test.each(sizes)("a file of %d bytes leaves with its head, whatever the client takes", (size) => {
  const path = fileOf(size);
  for (const room of [Infinity, 1000, 70_000, 5000]) {
    const client = new Client();
    client.room = room;
    answer(client, path);
    const other = new Client();
    while (!client.write()) {
      // Somebody else gets the memory meanwhile.
      answer(other, fileOf(16_384, "o"));
      other.write();
    }
    expect(client.received).toContain(`\r\nContent-Length: ${size}\r\n`);
    expect(bodyOf(client.received) === "x".repeat(size)).toBe(true);
    if (room === Infinity) expect(client.writes).toHaveLength(1);
  }
});

test.each(sizes)("HEAD of a file of %d bytes has its length and no body", (size) => {
  const client = new Client();
  answer(client, fileOf(size), {}, true);
  client.write();
  expect(client.received).toContain(`\r\nContent-Length: ${size}\r\n`);
  expect(bodyOf(client.received)).toBe("");
});

test("files in one output leave in order, none in the memory of another", () => {
  const client = new Client();
  const letters = ["a", "b", "c", "d", "e"];
  for (const letter of letters) answer(client, fileOf(10_000, letter));
  answer(new Client(), fileOf(20_000, "z"));
  client.room = 7000;
  while (!client.write());
  const bodies = client.received.split("HTTP/1.1 200 OK").slice(1).map(bodyOf);
  expect(bodies.map((body) => [body[0], body.length])).toEqual(
    letters.map((letter) => [letter, 10_000]),
  );
  expect(bodies.every((body) => body === body[0]?.repeat(10_000))).toBe(true);
});

test("a head that has no room in front of a file leaves all the same", () => {
  const client = new Client();
  answer(client, fileOf(16_384), { "x-large": "y".repeat(8000) });
  client.write();
  expect(client.received).toContain("y".repeat(8000));
  expect(bodyOf(client.received) === "x".repeat(16_384)).toBe(true);
});

test("a letter beyond ASCII in a field stays one byte", () => {
  const client = new Client();
  answer(client, fileOf(16_384), { "x-name": "caf\u00e9" });
  client.write();
  expect(client.received).toContain("caf\u00e9\r\n");
});

/** All that are there, so that it shows which one comes back. */
function takeAll(): Buffer[] {
  const taken = Array.from({ length: 64 }, () => takeBlock());
  expect(new Set(taken).size).toBe(taken.length);
  return taken;
}

test.each<[how: string, end: (output: OutputBuffer) => unknown]>([
  ["written", (output) => output.writeTo({ write: (data) => data.length })],
  ["written in part", (output) => output.writeTo({ write: () => 10 })],
  ["not written, as the client takes nothing", (output) => output.writeTo({ write: () => 0 })],
  ["not written, as the client has left", (output) => output.writeTo({ write: () => -1 })],
  ["dropped", (output) => output.clear()],
  ["dropped after a part", (output) => [output.writeTo({ write: () => 10 }), output.clear()]],
])("a block comes back once when it is %s", (_how, end) => {
  const all = takeAll();
  const block = all[0]!;
  const output = new OutputBuffer();
  output.addBlock(block, 0, 1000);
  expect(output.byteLength).toBe(1000);
  end(output);
  output.writeTo({ write: (data) => data.length });
  const [first, second] = [takeBlock(), takeBlock()];
  expect(first).toBe(block);
  expect(second).not.toBe(block);
  for (const one of [first, second]) giveBlock(one);
});

test("what is left of a block is as it was, and so is what follows", () => {
  const output = new OutputBuffer();
  const block = takeBlock();
  block.write("a".repeat(1000) + "b".repeat(1000));
  output.addBlock(block, 0, 2000);
  output.addAscii("c");
  let taken = "";
  const take = (count: number) =>
    output.writeTo({
      write(data) {
        const piece = Buffer.from(data).toString("latin1", 0, Math.min(count, data.length));
        taken += piece;
        return piece.length;
      },
    });
  take(1500);
  block.fill("!");
  const other = takeBlock();
  other.fill("d", 0, 10);
  output.addBlock(other, 0, 10);
  other.fill("!");
  while (!take(400));
  expect(taken).toBe(`${"a".repeat(1000)}${"b".repeat(1000)}c${"d".repeat(10)}`);
});

test("nothing of a block is nothing to write", () => {
  const output = new OutputBuffer();
  for (const text of ["a", ""]) {
    output.addAscii(text);
    output.addBlock(takeBlock(), 10, 10);
    expect(output.writeTo({ write: (data) => data.length })).toBe(true);
    expect(output.byteLength).toBe(0);
  }
});

test("there is room for a head and a small file", () => {
  expect(takeBlock().byteLength).toBe(blockBytes);
  expect(blockBytes).toBeGreaterThanOrEqual(4096 + 65_536);
});
