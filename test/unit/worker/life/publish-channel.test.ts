import { describe, expect, test } from "bun:test";
import { type Publication, publicationOf } from "../../../../src/app/websocket/publication.ts";
import type { PublishMessage, RelayMessage } from "../../../../src/ipc/messages.ts";
import { windowBytes } from "../../../../src/ipc/window.ts";
import { WorkerChannel } from "../../../../src/worker/life/publish-channel.ts";

/** A channel, what it has sent, and its log. */
function create({ isThere = true } = {}) {
  const master = { isThere };
  const sent: RelayMessage[] = [];
  const log: string[] = [];
  const channel = new WorkerChannel({
    log: { warning: (message) => log.push(message) },
    send(message) {
      if (master.isThere) sent.push(message);
      return master.isThere;
    },
    hasMaster: () => master.isThere,
    audience: () => 1,
  });
  const published = () =>
    sent.filter((message): message is PublishMessage => message.type === "websocket publish");
  const datas = () => published().flatMap(({ publications }) => publications.map((p) => p.data));
  return { channel, master, sent, log, published, datas };
}

const publish = (channel: WorkerChannel, data: string) =>
  channel.publish({ topic: "t", data, compress: false });

/** What setImmediate has waited for has run. */
const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

describe("WorkerChannel", () => {
  test("sends what is published in one turn as one message, in order", async () => {
    const { channel, published, datas } = create();
    for (const data of ["a", "b", "c"]) publish(channel, data);
    expect(published()).toEqual([]);
    await turn();
    expect(published()).toHaveLength(1);
    expect(datas()).toEqual(["a", "b", "c"]);
  });

  test("sends what is long at once, behind what came before it", () => {
    const { channel, datas } = create();
    const long = "x".repeat(100_000);
    for (const data of ["a", long, "b"]) publish(channel, data);
    expect(datas()).toEqual(["a", long]);
  });

  test("drops what the master doesn't take, and tells it once", async () => {
    const { channel, log, datas } = create();
    const quarter = "x".repeat(windowBytes / 4);
    for (let count = 0; count < 6; count += 1) publish(channel, quarter);
    // 64 bytes and the topic are counted with each.
    expect(datas()).toHaveLength(3);
    expect(log).toHaveLength(1);
    channel.hear({ type: "websocket taken", bytes: windowBytes });
    expect(log.slice(1)).toEqual([expect.stringContaining("messages dropped: 3")]);
    publish(channel, "a");
    await turn();
    expect(datas()).toHaveLength(4);
  });

  test("hands on what others publish, and tells the master how much in one message", async () => {
    const { channel, sent } = create();
    const heard: Publication[] = [];
    const joined = channel.join((publication) => heard.push(publication));
    channel.hear({ type: "websocket joined" });
    await joined;
    const publications = [publicationOf("t", "text", false)];
    channel.hear({ type: "websocket publish", publications, bytes: 5 });
    channel.hear({ type: "websocket publish", publications, bytes: 6 });
    await turn();
    expect(heard).toEqual([...publications, ...publications]);
    expect(sent).toEqual([{ type: "websocket join" }, { type: "websocket taken", bytes: 11 }]);
  });

  test("flush() sends, and waits for the master", async () => {
    const { channel, published } = create();
    publish(channel, "a");
    let isDone = false;
    const flushed = channel.flush(60_000).then(() => {
      isDone = true;
    });
    const [message] = published();
    await turn();
    expect(isDone).toBe(false);
    channel.hear({ type: "websocket taken", bytes: message?.bytes ?? 0 });
    await flushed;
    await channel.flush(60_000);
    publish(channel, "b");
    await channel.flush(1);
  });

  test("flush() ends when the master does", async () => {
    const { channel, master } = create();
    publish(channel, "a");
    const flushed = channel.flush(60_000);
    master.isThere = false;
    await flushed;
  });

  test("without a master waits for nobody", async () => {
    const { channel, log } = create({ isThere: false });
    await channel.join(() => {});
    publish(channel, "a");
    await channel.flush(60_000);
    expect(log).toEqual([]);
  });
});

describe("publicationOf()", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const shared = new SharedArrayBuffer(2);
  const rows: [claim: string, data: unknown, becomes: string | Uint8Array][] = [
    ["a text stays", "text", "text"],
    ["bytes stay", bytes, bytes],
    ["a part of a buffer is that part", bytes.subarray(1), new Uint8Array([2, 3])],
    ["a buffer is bytes", bytes.buffer, bytes],
    ["other views are bytes", new Uint16Array([1]), new Uint8Array([1, 0])],
    ["shared memory is bytes", shared, new Uint8Array(2)],
    ["a Blob is bytes", new Blob(["ab"]), new Uint8Array([97, 98])],
    ["a number is a text", 5, "5"],
    ["null is a text", null, "null"],
  ];
  test.each(rows)("%s", (_, data, becomes) => {
    expect(publicationOf("t", data, true)).toEqual({ topic: "t", data: becomes, compress: true });
  });

  test("refuses an empty topic, as Bun does", () => {
    expect(() => publicationOf("", "text", false)).toThrow("publish requires a topic string");
  });

  test("copies bytes, which the app may write to", () => {
    const own = new Uint8Array([1]);
    const { data } = publicationOf("t", own, undefined);
    own[0] = 2;
    expect(data).toEqual(new Uint8Array([1]));
  });
});
