import { describe, expect, test } from "bun:test";
import { anonymousBytes } from "../support/memory.ts";
import { field, type RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { standstill } from "../support/standstill.ts";
import { columns, get, testUnless, useWire } from "../support/wire.ts";

const large = 50_000_000;

/** As much as a connection may hold beyond the bytes of the app's own body: marks, a turn's chunks, the collector's slack. */
const slackBytes = 32 * 1024 * 1024;

describe.each(columns)("-k %s over %s: a stream", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "responses.ts" });

  test("of server-sent events leaves event by event", async () => {
    using client = await wire.connect();
    client.send(get("/events"));
    await client.seen("data: 1\n\n");
    expect((await wire.ask(get("/release"))).status).toBe(200);
    const answer = await client.answer();
    expect(field(answer, "content-type")).toBe("text/event-stream");
    expect(answer.body.toString()).toBe("data: 1\n\ndata: 2\n\n");
    expect(answer.complete).toBe(true);
  });

  // Bun.serve sends a head with the first chunk.
  testUnless(kind === "serve")("that is silent at first sends its head at once", async () => {
    using client = await wire.connect();
    client.send(get("/silent"));
    await client.seen("\r\n\r\n");
    await wire.ask(get("/release"));
    expect((await client.answer()).body.toString()).toBe("at last");
  });

  test("is cancelled when its reader leaves", async () => {
    const before = Number((await wire.ask(get("/cancelled"))).body);
    using client = await wire.connect();
    client.send(get("/endless"));
    await client.seen("more");
    client.reset();
    await until("the stream's cancel()", async () => {
      return Number((await wire.ask(get("/cancelled"))).body) === before + 1;
    });
  });

  test("is made at the pace of its reader", async () => {
    using client = await wire.connect();
    client.send(get("/produce"));
    await client.seen("\r\n\r\n");
    client.pause();
    const stalled = await standstill(async () => Number((await wire.ask(get("/produced"))).body));
    // What the kernel's buffers hold, and a little.
    expect(stalled).toBeLessThan(large / 2);
    client.resume();
    const answer = await client.answer();
    expect(answer.complete).toBe(true);
    expect(answer.body.length).toBeGreaterThanOrEqual(large);
  });

  testUnless(kind === "serve")(
    "that never ends takes little memory, however many don't read it",
    async () => {
      const before = anonymousBytes(wire.workerPid);
      const clients: RawClient[] = [];
      for (let count = 0; count < 64; count++) {
        const client = await wire.connect();
        client.pause();
        client.send(get("/flood"));
        clients.push(client);
      }
      await standstill(async () => Number((await wire.ask(get("/flooded"))).body));
      expect(anonymousBytes(wire.workerPid) - before).toBeLessThan(slackBytes);
      for (const client of clients) client.reset();
    },
    60_000,
  );

  test("of 50 MB in a slow reader's way takes the memory of one body, and holds nobody up", async () => {
    const before = anonymousBytes(wire.workerPid);
    const clients: RawClient[] = [];
    for (let count = 0; count < 4; count++) {
      const client = await wire.connect();
      client.send(get("/50mb"));
      await client.seen("\r\n\r\n");
      client.pause();
      clients.push(client);
      expect((await wire.ask(get("/string"))).body.toString()).toBe("hello");
    }
    // The app has made each body whole; the server must not keep a second copy.
    const grown = anonymousBytes(wire.workerPid) - before;
    expect(grown).toBeLessThan(clients.length * large + slackBytes);
    for (const client of clients) {
      client.resume();
      const answer = await client.answer();
      expect([answer.complete, answer.body.length]).toEqual([true, large]);
      client[Symbol.dispose]();
    }
  });
});
