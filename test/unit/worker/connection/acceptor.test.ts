/** The handlers of a listening socket: who is told what, and who counts as a connection. */
import { describe, expect, test } from "bun:test";
import type { LastingMember } from "../../../../src/worker/connection/connections.ts";
import type { WireOwner } from "../../../../src/worker/connection/wire.ts";
import { FakeEngine } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

describe("a connection", () => {
  test("counts from the moment that it is accepted", () => {
    const engine = new FakeEngine();
    engine.connect();
    engine.connect(new FakeWire(null));
    expect([engine.connections, engine.accepted.length, engine.left]).toEqual([2, 2, 0]);
  });

  const ends: [how: string, end: (wire: FakeWire) => void][] = [
    ["the client resets it", (wire) => wire.reset()],
    ["the client ends it", (wire) => wire.fin()],
    ["its last answer ends it", (wire) => (wire.send(last), wire.fin())],
    ["a refusal ends it", (wire) => (wire.send("\0\r\n\r\n"), wire.fin())],
  ];
  test.each(ends)("counts until %s, and leaves once", (_how, end) => {
    const engine = new FakeEngine();
    const [other, wire] = [engine.connect(), engine.connect()];
    end(wire);
    expect(wire.closed).toBe(true);
    expect([engine.connections, engine.left]).toEqual([1, 1]);
    other.reset();
    expect([engine.connections, engine.left]).toEqual([0, 2]);
  });

  test("that comes while the worker leaves is told so by its first answer", () => {
    const engine = new FakeEngine();
    engine.connect();
    engine.drain();
    const wire = engine.connect();
    wire.send(get);
    expect(wire.text).toContain("Connection: close");
  });

  test("is served on when its socket has had an error, which the log tells to whoever debugs", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.fail(new Error("boom"));
    wire.send(get);
    expect(wire.text).toContain("hello");
    expect(engine.lines).toEqual(["debug: Socket error: boom"]);
  });

  test("goes on when its socket takes bytes again", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.room = 5;
    wire.send(get);
    expect(wire.take()).toBe("HTTP/");
    wire.drain();
    expect(wire.text).toEndWith("hello");
  });
});

/** Notes what it is told. */
class Recorder implements WireOwner, LastingMember {
  readonly told: string[] = [];
  receive = (bytes: Buffer) => void this.told.push(`receive ${bytes.toString()}`);
  drained = () => void this.told.push("drained");
  clientEnded = () => void this.told.push("clientEnded");
  closed = () => void this.told.push("closed");
  tick = () => {};
  leave = () => {};
}

test("whoever owns the socket is told, and not who had it before", () => {
  const engine = new FakeEngine();
  const wire = engine.connect();
  wire.send(get);
  const owner = new Recorder();
  wire.data = owner;
  wire.take();
  wire.send("a");
  wire.drain();
  wire.fin();
  wire.reset();
  expect(owner.told).toEqual(["receive a", "drained", "clientEnded", "closed"]);
  expect([wire.text, engine.left]).toEqual(["", 1]);
});
