import { describe, expect, test } from "bun:test";
import { Conversation } from "../../../../src/arbiter/control/conversation.ts";
import { encodeFrame, FrameReader } from "../../../../src/control/frames.ts";
import { ok } from "../../../../src/control/messages.ts";

/** A line whose other end takes so many bytes at a time. */
function line(room = Number.POSITIVE_INFINITY) {
  const sent: Buffer[] = [];
  const world = {
    room,
    timeouts: [] as number[],
    asked: [] as string[],
    get answers(): unknown[] {
      const reader = new FrameReader(1 << 20);
      reader.push(Buffer.concat(sent));
      const answers: unknown[] = [];
      for (let frame = reader.next(); frame.type === "message"; frame = reader.next())
        answers.push(frame.message);
      return answers;
    },
  };
  const conversation = new Conversation(
    {
      write(bytes) {
        const taken = Math.min(world.room, bytes.byteLength);
        sent.push(Buffer.from(bytes.subarray(0, taken)));
        world.room -= taken;
        return taken;
      },
      timeout: (seconds) => void world.timeouts.push(seconds),
    },
    (words, id) => {
      world.asked.push(words.join(" "));
      return ok(id, { words });
    },
  );
  return { conversation, world };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const request = (command: string, id = 1) => encodeFrame({ id, command });

describe("Conversation", () => {
  test("answers one request after the other, one in a turn of the event loop", async () => {
    const { conversation, world } = line();
    conversation.receive(Buffer.concat([request("reload", 1), request("drain", 2)]));
    expect(world.asked).toEqual(["reload"]);
    await turn();
    expect(world.asked).toEqual(["reload", "drain"]);
    expect(world.answers).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  test("carries out nothing more while an answer isn't taken", async () => {
    const { conversation, world } = line(10);
    conversation.receive(Buffer.concat([request("reload", 1), request("drain", 2)]));
    await turn();
    expect(world.asked).toEqual(["reload"]);
    expect(world.timeouts.at(-1)).toBe(10);
    world.room = Number.POSITIVE_INFINITY;
    conversation.drain();
    await turn();
    expect(world.asked).toEqual(["reload", "drain"]);
    expect(world.answers).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  test("waits less long for the rest of a request than for the next one", async () => {
    const { conversation, world } = line();
    conversation.receive(request("reload").subarray(0, 6));
    expect(world.timeouts.at(-1)).toBe(10);
    conversation.receive(request("reload").subarray(6));
    await turn();
    expect(world.timeouts.at(-1)).toBe(240);
  });

  const broken: [claim: string, bytes: Uint8Array, error: string][] = [
    [
      "a line of text",
      Buffer.from("show stats\r\n"),
      "a frame has at most 65536 bytes, got 1936224119",
    ],
    ["a MiB of it", Buffer.alloc(1 << 20, "x"), "a frame has at most 65536 bytes, got 2021161080"],
    ["what isn't JSON", Buffer.from([0, 0, 0, 1, 0x7b]), "a frame holds JSON"],
    [
      "more than a frame at a time",
      Buffer.concat([request("reload"), Buffer.alloc(1 << 17)]),
      "one request at a time",
    ],
  ];
  test.each(broken)("ends at %s, and says why", async (_claim, bytes, error) => {
    const { conversation, world } = line();
    conversation.receive(bytes);
    conversation.receive(request("reload"));
    await turn();
    expect(world.answers).toMatchObject([{ status: "error", error }]);
    expect(world.timeouts.at(-1)).toBe(4);
    expect(world.asked).toEqual([]);
  });

  test("answers what is no request, and goes on", async () => {
    const { conversation, world } = line();
    conversation.receive(encodeFrame({ command: 7 }));
    await turn();
    conversation.receive(request("reload"));
    expect(world.answers).toMatchObject([
      { status: "error", error: "command must be text" },
      { status: "ok" },
    ]);
  });
});
