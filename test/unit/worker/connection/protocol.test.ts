/** The transport half of a connection, by a protocol that isn't HTTP. */
import { describe, expect, test } from "bun:test";
import type { Protocol, Transport } from "../../../../src/worker/connection/protocol.ts";
import { FakeEngine, statuses } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

/** Sends back what comes, in pieces of three bytes, until a full stop. */
class Echo implements Protocol {
  reading = true;
  ended = false;
  readonly settled = false;
  readonly idle = false;
  readonly awaitsApp = false;
  readonly bodyOpen = false;
  readonly told: string[] = [];
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  receive(bytes: Buffer): number {
    const text = bytes.toString("latin1", 0, Math.min(3, bytes.length));
    this.#transport.output.addAscii(text);
    if (text.includes(".")) this.#end();
    return text.length;
  }

  drained(): void {
    this.told.push("drained");
  }

  clientEnded(): void {
    this.told.push("client ended");
    this.#end();
  }

  closed(): void {
    this.told.push("closed");
  }

  expired(): boolean {
    return false;
  }

  drain(): void {
    this.told.push("drain");
  }

  #end(): void {
    this.reading = false;
    this.ended = true;
  }
}

function echo(wire = new FakeWire()) {
  const engine = new FakeEngine();
  engine.connect(wire);
  const connection = engine.accepted[0]!;
  const protocol = new Echo(connection);
  return { engine, wire, connection, protocol };
}

describe("a connection with another protocol", () => {
  test("gives it all bytes, however few it takes at a time", () => {
    const { connection, protocol, wire } = echo();
    connection.become(protocol);
    wire.send("eleven bytes", 5);
    expect(wire.text).toBe("eleven bytes");
  });

  test("ends behind the protocol's last byte", () => {
    const { connection, protocol, wire } = echo();
    connection.become(protocol);
    wire.send("the end. And more");
    expect(wire.text).toBe("the end. ");
    expect(wire.did).toEqual(["shutdown"]);
    wire.fin();
    expect(wire.did).toEqual(["shutdown", "end"]);
  });

  test("tells it what happens to the socket", () => {
    const { connection, engine, protocol, wire } = echo();
    connection.become(protocol);
    wire.room = 2;
    wire.send("abc");
    wire.drain();
    engine.drain();
    wire.fin();
    expect(protocol.told).toEqual(["drained", "drain", "client ended", "closed"]);
    expect(wire.text).toBe("abc");
  });

  test("changes to it between two requests", () => {
    const { connection, protocol, wire } = echo();
    wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(statuses(wire.take())).toEqual([200]);
    connection.become(protocol);
    wire.send("GET /.");
    expect(wire.text).toBe("GET /.");
  });
});
