import { describe, expect, test } from "bun:test";
import type { Publication } from "../../../../src/app/websocket/publication.ts";
import { Websockets } from "../../../../src/app/websocket/websockets.ts";
import { until } from "../../../support/server.ts";
import { Client } from "../../../support/websocket-client.ts";

/** A worker's websockets, at so many Bun.serves; what it sends to others; and a way to be one of them. */
async function create({
  servers: count = 1,
  hasAudience = true,
  maxMessageBytes = 0,
  tells = true,
} = {}) {
  const lines: string[] = [];
  const sent: Publication[] = [];
  const host = {
    hasAudience,
    publish: (publication: Publication) => void sent.push(publication),
    receive: (publication: Publication): void => void sent.push(publication),
    join(receive: (publication: Publication) => void) {
      host.receive = receive;
      return Promise.resolve();
    },
  };
  const log = { exception() {}, warning() {}, info: (line: string) => void lines.push(line) };
  const websockets = await Websockets.join({ log, maxMessageBytes, channel: host, tells });
  const open = () => {
    const sockets = websockets.serving({
      maxPayloadLength: 1000,
      open: (socket: Bun.ServerWebSocket<unknown>) => void socket.subscribe("room"),
      message: (socket: Bun.ServerWebSocket<unknown>, text: string) =>
        void socket.publish("room", text),
    });
    const server = Bun.serve({
      port: 0,
      fetch: (request, itself) => void itself.upgrade(request, { data: null }),
      websocket: sockets.handlers,
    });
    sockets.attach(server, () => {});
    return server;
  };
  const servers = Array.from({ length: count }, open);
  const connect = async (server: Bun.Server<unknown> | undefined) => {
    const before = websockets.pendingWebSockets;
    const client = new Client(String(server?.url));
    await until("an open websocket", () => client.isOpen && websockets.pendingWebSockets > before);
    return client;
  };
  const [server] = servers as [Bun.Server<unknown>];
  return {
    websockets,
    server,
    servers,
    open,
    connect,
    sent,
    lines,
    receive: (publication: Publication) => host.receive(publication),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((each) => each.stop(true)));
    },
  };
}

describe("Websockets", () => {
  test("send what is published to the others, and to nobody when there are none", async () => {
    for (const hasAudience of [true, false]) {
      await using world = await create({ hasAudience });
      const [one, other] = [await world.connect(world.server), await world.connect(world.server)];
      one.send("of a socket");
      await other.hears("of a socket");
      expect(world.server.publish("room", "of a server", true)).toBe(11);
      expect(world.websockets.publish("room", new Uint8Array([1]))).toBe(1);
      expect(world.server.publish("nowhere", "nothing")).toBe(0);
      await Promise.all([one.hears("bytes 1"), other.hears("bytes 1")]);
      expect(one.heard).toEqual(["of a server", "bytes 1"]);
      expect(other.heard).toEqual(["of a socket", "of a server", "bytes 1"]);
      const all = [
        { topic: "room", data: "of a socket", compress: false },
        { topic: "room", data: "of a server", compress: true },
        { topic: "room", data: new Uint8Array([1]), compress: false },
        { topic: "nowhere", data: "nothing", compress: false },
      ];
      expect(world.sent).toEqual(hasAudience ? all : []);
    }
  });

  test("get what others publish, at each server, and don't send it back", async () => {
    await using world = await create({ servers: 2 });
    const clients = await Promise.all(world.servers.map(world.connect));
    world.receive({ topic: "room", data: "text", compress: false });
    world.receive({ topic: "room", data: new Uint8Array([1, 2]), compress: true });
    for (const client of clients) {
      await client.hears("bytes 1,2");
      expect(client.heard).toEqual(["text", "bytes 1,2"]);
    }
    expect(world.sent).toEqual([]);
    expect(world.websockets.subscriberCount("room")).toBe(2);
  });

  test("throw what Bun throws, and then send nothing", async () => {
    await using world = await create();
    expect(() => world.server.publish("", "text")).toThrow("publish requires a topic string");
    expect(world.sent).toEqual([]);
  });

  test("of a server that opens during the drain are closed at once", async () => {
    await using world = await create();
    const first = await world.connect(world.server);
    await world.websockets.drain(1000);
    const late = world.open();
    const client = new Client(String(late.url));
    expect(await Promise.all([first.closed, client.closed])).toEqual([1001, 1001]);
    await late.stop(true);
  });

  test.each([
    [true, 999, 1],
    [true, 1000, 0],
    [false, 999, 0],
  ])("of two addresses tell their bound once (%p, %d)", async (tells, maxMessageBytes, count) => {
    await using world = await create({ servers: 2, maxMessageBytes, tells });
    const line = "websocket.maxPayloadLength 1000 is above websocket_max_message_size: 999 counts";
    expect(world.lines).toEqual(Array.from({ length: count }, () => line));
  });

  test("without any drain at once, whatever the time", async () => {
    await using world = await create();
    await world.websockets.drain(Number.POSITIVE_INFINITY);
    await world.websockets.drain(0);
  });
});
