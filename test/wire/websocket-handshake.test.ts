/** The opening handshake: what is refused before the app is asked, and what comes in pieces (RFC 6455 §4.2). */
import { describe, expect, test } from "bun:test";
import { errors, type HandshakeErrorName } from "../../src/http/errors.ts";
import { frame, handshake, handshakeLines, key, readFrame } from "../support/frames.ts";
import { field, fieldValues, type RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { get, requestText, transports, useWire } from "../support/wire.ts";

const pathOf = "/handshake";

/** The lines of a handshake with some changed, or left out by null. */
function changed(changes: Readonly<Record<string, string | null>>): string[] {
  return handshakeLines.flatMap((line) => {
    const name = line.slice(0, line.indexOf(":"));
    const value = changes[name];
    if (value === undefined) return [line];
    return value === null ? [] : [`${name}: ${value}`];
  });
}

function request(changes: Readonly<Record<string, string | null>>, ...more: readonly string[]) {
  return requestText("GET", pathOf, [...changed(changes), ...more]);
}

const bad: [claim: string, name: HandshakeErrorName, request: string][] = [
  [
    "POST",
    "websocket without get",
    requestText("POST", pathOf, [...handshakeLines, "Content-Length: 0"]),
  ],
  ["HEAD", "websocket without get", requestText("HEAD", pathOf, handshakeLines)],
  ["HTTP/1.0", "websocket on http/1.0", handshake(pathOf).replace("HTTP/1.1", "HTTP/1.0")],
  ["a body", "websocket with a body", `${handshake(pathOf, "Content-Length: 5")}hello`],
  [
    "a chunked body",
    "websocket with a body",
    `${handshake(pathOf, "Transfer-Encoding: chunked")}0\r\n\r\n`,
  ],
  ["no Connection", "websocket without connection option", request({ Connection: null })],
  [
    "Connection: keep-alive",
    "websocket without connection option",
    request({ Connection: "keep-alive" }),
  ],
  ["no key", "bad websocket key", request({ "Sec-WebSocket-Key": null })],
  ["an empty key", "bad websocket key", request({ "Sec-WebSocket-Key": "" })],
  [
    "a key of 15 bytes",
    "bad websocket key",
    request({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j" }),
  ],
  [
    "a key of 17 bytes",
    "bad websocket key",
    request({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZXg=" }),
  ],
  [
    "a key that is no base64",
    "bad websocket key",
    request({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j-_==" }),
  ],
  ["two keys", "bad websocket key", request({}, `Sec-WebSocket-Key: ${key}`)],
  ["no version", "bad websocket version", request({ "Sec-WebSocket-Version": null })],
  [
    "a version that is no number",
    "bad websocket version",
    request({ "Sec-WebSocket-Version": "x" }),
  ],
  [
    "a version with a zero in front",
    "bad websocket version",
    request({ "Sec-WebSocket-Version": "013" }),
  ],
  ["two versions", "bad websocket version", request({}, "Sec-WebSocket-Version: 13")],
  ["version 8", "unsupported websocket version", request({ "Sec-WebSocket-Version": "8" })],
  ["version 14", "unsupported websocket version", request({ "Sec-WebSocket-Version": "14" })],
];

const good: [claim: string, request: string][] = [
  [
    "names in any case",
    handshake(pathOf)
      .toLowerCase()
      .replace(/^get (.*) http/, "GET $1 HTTP")
      .replace(key.toLowerCase(), key),
  ],
  ["WebSocket in mixed case", request({ Upgrade: "WebSocket" })],
  ["another protocol beside it", request({ Upgrade: "h2c, websocket" })],
  ["two lines of Upgrade", request({ Upgrade: "h2c" }, "Upgrade: websocket")],
  ["other options of Connection", request({ Connection: "keep-alive, Upgrade" })],
  ["two lines of Connection", request({ Connection: "keep-alive" }, "Connection: upgrade")],
  ["Content-Length: 0", handshake(pathOf, "Content-Length: 0")],
  ["an absolute target", handshake("http://test/handshake")],
];

describe.each(transports)("-k async over %s", (transport) => {
  const wire = useWire({ kind: "async", transport, app: "websocket.ts" });
  const open = async () =>
    (await wire.ask(get("/notes"))).body
      .toString()
      .split("\n")
      .filter((note) => note === `open ${pathOf}`).length;

  test.each(bad)("refuses %s: %s", async (_claim, name, sent) => {
    const before = await open();
    using client = await wire.connect();
    const answer = await client.ask(sent);
    const { status, text } = errors[name];
    expect([answer.status, fieldValues(answer, "connection")[0]]).toEqual([status, "close"]);
    expect(answer.body.toString()).toContain(text);
    expect(field(answer, "sec-websocket-version")).toBe(status === 426 ? "13" : null);
    expect(field(answer, "upgrade")).toBe(status === 426 ? "websocket" : null);
    client.halfClose();
    expect(await client.ended()).toBe("fin");
    await wire.server.logged(text);
    expect(await open()).toBe(before);
  });

  test.each(good)("takes %s", async (_claim, sent) => {
    using client = await wire.connect();
    expect((await client.ask(sent)).status).toBe(101);
  });

  test.each([
    ["another protocol", get("/handshake", "Upgrade: h2c", "Connection: Upgrade")],
    ["no Upgrade", get("/handshake", ...handshakeLines.slice(1))],
  ])("gives the app a request with %s, and upgrade() is false", async (_claim, sent) => {
    using client = await wire.connect();
    for (let count = 0; count < 2; count++) {
      expect((await client.ask(sent)).body.toString()).toContain("not upgraded");
    }
  });

  test.each([3, 80])("answers who offers too much: %i fields of 8000 bytes", async (count) => {
    const before = await open();
    const offers = Array.from(
      { length: count },
      () => `Sec-WebSocket-Protocol: ${"p".repeat(8000)}`,
    );
    using client = await wire.connect();
    expect((await client.ask(request({}, ...offers))).status).toBe(431);
    expect((await client.ask(get("/"))).status).toBe(200);
    expect(await open()).toBe(before);
  });

  test("reads a handshake and a frame cut anywhere", async () => {
    const bytes = Buffer.concat([Buffer.from(handshake("/cut")), frame("text", "hello")]);
    for (let at = 1; at < bytes.length; at++) {
      using client = await wire.connect();
      await client.sendPieces([bytes.subarray(0, at), bytes.subarray(at)]);
      expect((await client.answer()).status).toBe(101);
      expect((await readFrame(client)).payload.toString()).toBe("hello");
    }
  });

  test("reads them byte by byte", async () => {
    using client = await wire.connect();
    const bytes = Buffer.concat([Buffer.from(handshake("/later")), frame("text", "hello")]);
    await client.sendPieces([...bytes].map((byte) => Buffer.from([byte])));
    expect((await client.answer()).status).toBe(101);
    expect((await readFrame(client)).payload.toString()).toBe("hello");
  });

  test("upgrades behind requests that it was pipelined to, in order", async () => {
    using client = await wire.connect();
    client.send(get("/never") + get("/stream") + handshake("/plain"));
    client.send(frame("text", "hello"));
    expect((await client.answer()).body.toString()).toBe("no websocket here");
    expect((await client.answer()).body.length).toBe(3_000_000);
    expect((await client.answer()).status).toBe(101);
    expect((await readFrame(client)).payload.toString()).toBe("hello");
  });

  test.each([
    ["FIN", (client: RawClient) => client.halfClose()],
    ["a reset", (client: RawClient) => client.reset()],
  ])(
    "a client that has left by %s while the app was asked is no open websocket",
    async (_claim, leave) => {
      using client = await wire.connect();
      client.send(handshake("/later"));
      leave(client);
      await client.ended();
      await until(
        "none open",
        async () => (await wire.ask(get("/pending"))).body.toString() === "0",
      );
    },
  );
});

describe("-k async --proxy-protocol auto", () => {
  const wire = useWire({ kind: "async", app: "websocket.ts", args: ["--proxy-protocol", "auto"] });

  test("the client that a PROXY header names is the websocket's", async () => {
    using client = await wire.connect();
    client.send(`PROXY TCP4 192.0.2.9 192.0.2.1 4711 80\r\n${handshake("/address")}`);
    expect((await client.answer()).status).toBe(101);
    await until("the note", async () => {
      using asking = await wire.connect();
      asking.send(`PROXY TCP4 192.0.2.9 192.0.2.1 4711 80\r\n${get("/notes")}`);
      const notes = (await asking.answer()).body.toString();
      return notes.includes("address: 192.0.2.9") && notes.includes("peer: 192.0.2.9");
    });
  });
});
