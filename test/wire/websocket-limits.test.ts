/** What of HTTP's limits holds for a websocket on class async, and what doesn't. */
import { describe, expect, test } from "bun:test";
import { frame, handshake, readFrame } from "../support/frames.ts";
import { until } from "../support/server.ts";
import { get, transports, useWire } from "../support/wire.ts";

describe.each(transports)("-k async with short timeouts over %s", (transport) => {
  const args = ["--keep-alive", "1", "--header-timeout", "1", "--body-timeout", "1"];
  const wire = useWire({
    kind: "async",
    transport,
    app: "websocket.ts",
    args: [...args, "--write-timeout", "1"],
  });

  test("an idle websocket outlives them", async () => {
    using client = await wire.connect();
    expect((await client.ask(handshake("/plain"))).status).toBe(101);
    // Half a frame, and silence.
    const bytes = frame("text", "hello");
    client.send(bytes.subarray(0, 4));
    for (let periods = 0; periods < 2; periods++) {
      using idle = await wire.connect();
      await idle.ask(get("/never"));
      expect(await idle.ended()).toBe("fin");
    }
    client.send(bytes.subarray(4));
    expect((await readFrame(client)).payload.toString()).toBe("hello");
  });

  test("a handshake that is slow to come doesn't", async () => {
    using client = await wire.connect();
    client.send(handshake("/plain").slice(0, 60));
    expect((await client.answer()).status).toBe(408);
  });

  test("a client that takes nothing for write_timeout is reset, and its websocket closed", async () => {
    using client = await wire.connect();
    client.pause();
    client.send(handshake("/deluge"));
    const closed = async () => {
      const notes = (await wire.ask(get("/notes"))).body.toString();
      return notes.includes("close /deluge 1006");
    };
    await until("the websocket to close", closed);
  });
});

describe.each(transports)("-k async --worker-connections 2 over %s", (transport) => {
  const args = ["--worker-connections", "2"];
  const wire = useWire({ kind: "async", transport, app: "websocket.ts", args });

  test("an open websocket is one of them", async () => {
    using first = await wire.connect();
    using second = await wire.connect();
    for (const client of [first, second]) {
      expect((await client.ask(handshake("/plain"))).status).toBe(101);
    }
    let answered = false;
    const third = wire.ask(get("/never")).finally(() => (answered = true));
    first.send(frame("text", "alive"));
    expect((await readFrame(first)).payload.toString()).toBe("alive");
    expect(answered).toBe(false);
    second.halfClose();
    expect((await third).body.toString()).toBe("no websocket here");
  });
});
