/** Websockets on the engine, frame by frame, beside those of a bare Bun.serve. */
import { describe, expect, test } from "bun:test";
import { inflateRawSync } from "node:zlib";
import { accept, closing, frame, handshake, opcodes, readFrame } from "../support/frames.ts";
import { field, type RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { columns, get, testUnless, useWire, type Wire } from "../support/wire.ts";

/** A websocket that is open. */
async function open(wire: Wire, path: string, ...lines: readonly string[]): Promise<RawClient> {
  const client = await wire.connect();
  expect((await client.ask(handshake(path, ...lines))).status).toBe(101);
  return client;
}

async function textOf(wire: Wire, path: string): Promise<string> {
  return (await wire.ask(get(path))).body.toString();
}

/** What the app has noted of a path by now. */
async function noted(wire: Wire, note: string): Promise<void> {
  await until(`the note ${note}`, async () => (await textOf(wire, "/notes")).includes(note));
}

const mebibyte = Buffer.alloc(1 << 20, "0123456789abcdef");

describe.each(columns)("-k %s over %s", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "websocket.ts", args: ["--access-logfile", "-"] });

  test("the handshake is answered by RFC 6455 §4.2.2", async () => {
    using client = await wire.connect();
    const answer = await client.ask(handshake("/plain"));
    expect([answer.status, answer.reason]).toEqual([101, "Switching Protocols"]);
    expect(field(answer, "upgrade")?.toLowerCase()).toBe("websocket");
    expect(field(answer, "connection")?.toLowerCase()).toBe("upgrade");
    expect(field(answer, "sec-websocket-accept")).toBe(accept);
    expect(field(answer, "sec-websocket-protocol")).toBeNull();
    expect(field(answer, "sec-websocket-extensions")).toBeNull();
  });

  const messages: [claim: string, sent: Buffer[], opcode: number, payload: Buffer][] = [
    ["a text", [frame("text", "h\u00e9llo")], opcodes.text, Buffer.from("h\u00e9llo")],
    ["an empty text", [frame("text")], opcodes.text, Buffer.alloc(0)],
    ["bytes", [frame("binary", Buffer.from([0, 255]))], opcodes.binary, Buffer.from([0, 255])],
    ["a mebibyte", [frame("binary", mebibyte)], opcodes.binary, mebibyte],
    [
      "fragments, a ping between them",
      [frame("text", "a", false), frame("ping"), frame("more", "b", false), frame("more", "c")],
      opcodes.text,
      Buffer.from("abc"),
    ],
    ["a ping", [frame("ping", "are you there")], opcodes.pong, Buffer.from("are you there")],
  ];

  test.each(messages)("%s comes back", async (_claim, sent, opcode, payload) => {
    using client = await open(wire, "/plain");
    client.send(Buffer.concat(sent));
    let found = await readFrame(client);
    if (found.opcode === opcodes.pong && opcode !== opcodes.pong) found = await readFrame(client);
    expect([found.opcode, found.final, found.payload.equals(payload)]).toEqual([
      opcode,
      true,
      true,
    ]);
  });

  // A fetch of Bun.serve that takes its time is too late for bytes behind the handshake: 400.
  testUnless(kind === "serve")("frames that came with the handshake keep their order", async () => {
    using client = await wire.connect();
    const texts = ["one", "two", "three"];
    const sent = texts.map((text) => frame("text", text));
    client.send(Buffer.concat([Buffer.from(handshake("/later")), ...sent]));
    expect((await client.answer()).status).toBe(101);
    for (const text of texts) expect((await readFrame(client)).payload.toString()).toBe(text);
  });

  test("what the app sends in open comes behind the handshake", async () => {
    using client = await open(wire, "/greets");
    expect((await readFrame(client)).payload.toString()).toBe("welcome");
  });

  test("the app closes with its own code, and the connection ends", async () => {
    using client = await open(wire, "/plain");
    client.send(frame("text", "bye"));
    expect(closing(await readFrame(client))).toEqual([4001, "as you say"]);
    client.send(frame("close", Buffer.from([0x0f, 0xa1])));
    client.halfClose();
    expect(await client.ended()).toBe("fin");
    await noted(wire, "close /plain 4001");
  });

  test("the app may close in open already", async () => {
    using client = await open(wire, "/leaves");
    expect(closing(await readFrame(client))).toEqual([4002, "at once"]);
    client.halfClose();
    expect(await client.ended()).toBe("fin");
  });

  test("the client's close is answered with its code", async () => {
    using client = await open(wire, "/client-closes");
    client.send(frame("close", Buffer.from([0x0b, 0xb9])));
    expect(closing(await readFrame(client))[0]).toBe(3001);
    client.halfClose();
    expect(await client.ended()).toBe("fin");
    await noted(wire, "close /client-closes 3001");
  });

  test("a client that is cut off by the app sees the end", async () => {
    using client = await open(wire, "/cut");
    client.send(frame("text", "cut"));
    await client.ended();
    await noted(wire, "close /cut 1006");
  });

  test.each([
    ["FIN", "/fin", (client: RawClient) => client.halfClose()],
    ["a reset", "/reset", (client: RawClient) => client.reset()],
  ])("a client that leaves by %s closes the websocket", async (_claim, path, leave) => {
    using client = await open(wire, path);
    await noted(wire, `open ${path}`);
    leave(client);
    await noted(wire, `close ${path} 1006`);
  });

  test("bad frames are refused, and end the connection", async () => {
    const rows: [path: string, bytes: Buffer][] = [
      ["/unmasked", Buffer.from([0x81, 0x01, 0x61])],
      ["/reserved", Buffer.from([0xf1, 0x80, 0, 0, 0, 0])],
      ["/utf8", frame("text", Buffer.from([0xff]))],
      ["/too-long", frame("binary", Buffer.alloc(5_000_000)).subarray(0, 100)],
    ];
    for (const [path, bytes] of rows) {
      using client = await open(wire, path);
      client.send(bytes);
      await client.ended();
      await noted(wire, `close ${path}`);
    }
  });

  test("a client that reads late gets all of it, in order", async () => {
    using client = await wire.connect();
    client.pause();
    client.send(handshake("/flood"));
    await noted(wire, "open /flood");
    client.resume();
    expect((await client.answer()).status).toBe(101);
    for (let at = 0; at < 40; at++) {
      const { payload } = await readFrame(client);
      expect([payload.length, payload.every((byte) => byte === at)]).toEqual([100_000, true]);
    }
    expect((await readFrame(client)).payload.toString()).toBe("last");
  });

  test("messages in both directions at a time don't wait for each other", async () => {
    using client = await open(wire, "/both");
    const count = 30;
    for (let at = 0; at < count; at++) client.send(frame("binary", mebibyte.subarray(0, 300_000)));
    for (let at = 0; at < count; at++) {
      const { payload } = await readFrame(client);
      expect(payload.equals(mebibyte.subarray(0, 300_000))).toBe(true);
    }
  });

  test("the first subprotocol is taken, or the app's choice", async () => {
    using first = await wire.connect();
    const offer = "Sec-WebSocket-Protocol: first, second";
    expect(field(await first.ask(handshake("/plain", offer)), "sec-websocket-protocol")).toBe(
      "first",
    );
    using chosen = await wire.connect();
    expect(field(await chosen.ask(handshake("/chosen", offer)), "sec-websocket-protocol")).toBe(
      "second",
    );
  });

  test("the app's fields stand in the answer, and wrong ones throw", async () => {
    using client = await wire.connect();
    const answer = await client.ask(handshake("/headers"));
    expect([field(answer, "x-own"), field(answer, "set-cookie")]).toEqual(["yes", "a=1"]);
    expect((await wire.ask(handshake("/wrong-headers"))).body.toString()).toBe("TypeError");
  });

  test("compression is agreed upon when both want it", async () => {
    using client = await wire.connect();
    const offer = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover";
    const answer = await client.ask(handshake("/compressed", offer));
    expect(field(answer, "sec-websocket-extensions")).toContain("permessage-deflate");
    client.send(frame("text", "a".repeat(2000)));
    const { compressed, payload } = await readFrame(client);
    expect([compressed, payload.length < 200]).toEqual([true, true]);
    const whole = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
    // RFC 7692 §7.2.2; the last block isn't marked as such.
    const text = inflateRawSync(whole, { finishFlush: 2 }).toString();
    expect(text).toBe("a".repeat(2000));
  });

  test("the app sees the client's address, before and behind the upgrade", async () => {
    using client = await open(wire, "/address");
    await noted(wire, "address: 127.0.0.1");
    await noted(wire, "peer: 127.0.0.1");
    expect(client.closed).toBe(false);
  });

  test("open is called within upgrade()", async () => {
    using client = await open(wire, "/order");
    await noted(wire, "open /order\nbehind upgrade()");
    expect(client.closed).toBe(false);
  });

  test("a second upgrade of a request is refused", async () => {
    using client = await open(wire, "/twice");
    await noted(wire, "twice: false");
    expect(client.closed).toBe(false);
  });

  test("an upgrade of a request that has been answered is refused", async () => {
    using client = await wire.connect();
    expect((await client.ask(handshake("/too-late"))).body.toString()).toBe("answered");
    await wire.ask(get("/now"));
    await noted(wire, "too late: false");
    expect((await client.ask(get("/never"))).status).toBe(200);
  });

  test.each([["/answers"], ["/throws"]])(
    "what fetch does behind the upgrade is of no account: %s",
    async (path) => {
      using client = await open(wire, path);
      client.send(frame("text", "alive"));
      expect((await readFrame(client)).payload.toString()).toBe("alive");
    },
  );

  test("server.pendingWebSockets counts open ones", async () => {
    const before = Number(await textOf(wire, "/pending"));
    const clients = [await open(wire, "/a"), await open(wire, "/b")];
    const count = async (more: number) => Number(await textOf(wire, "/pending")) === before + more;
    await until("two more", () => count(2));
    for (const client of clients) client[Symbol.dispose]();
    await until("none more", () => count(0));
  });

  test("a request that asks for a websocket may be answered otherwise, and the connection lives on", async () => {
    using client = await wire.connect();
    expect((await client.ask(handshake("/never"))).body.toString()).toBe("no websocket here");
    expect((await client.ask(get("/never"))).status).toBe(200);
    expect((await client.ask(handshake("/plain"))).status).toBe(101);
    client.send(frame("text", "hello"));
    expect((await readFrame(client)).payload.toString()).toBe("hello");
  });

  test("the access log has the upgrade, with status 101", async () => {
    using client = await open(wire, "/logged?a=b");
    await wire.server.logged(/"GET \/logged\?a=b HTTP\/1\.1" 101 /);
    expect(client.closed).toBe(false);
  });
});
