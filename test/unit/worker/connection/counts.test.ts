/** What connections count for the scoreboard. */
import { describe, expect, test } from "bun:test";
import { clientTimeouts } from "../../../../src/ipc/scoreboard-columns.ts";
import { FakeEngine, ticks, timeouts } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const halfBody = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf";

describe("bytes", () => {
  test("are those that a connection has received and sent, over all of a worker", async () => {
    const engine = new FakeEngine();
    const [one, two] = [engine.connect(), engine.connect()];
    one.send(request);
    two.send(request + request);
    await engine.settle();
    const sent = one.text.length + two.text.length;
    expect(sent).toBeGreaterThan(0);
    expect([...engine.scores.bytes]).toEqual([request.length * 3, sent]);
  });

  test("that the client doesn't take yet aren't sent", async () => {
    const engine = new FakeEngine();
    const wire = new FakeWire();
    wire.room = 7;
    engine.connect(wire).send(request);
    await engine.settle();
    expect(engine.scores.bytes[1]).toBe(7);
    wire.drain();
    expect(engine.scores.bytes[1]).toBe(wire.text.length);
    expect(wire.text.length).toBeGreaterThan(7);
  });

  test("of a refused request count too", async () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send("GET\r\n\r\n");
    await engine.settle();
    expect(wire.text).toStartWith("HTTP/1.1 400");
    expect([...engine.scores.bytes]).toEqual([7, wire.text.length]);
  });
});

describe("timeouts", () => {
  const longest = ticks(Math.max(...Object.values(timeouts))) + 1;
  const rows: readonly (readonly [setting: string, sent: string, room: number])[] = [
    ["header_timeout", "GET", Number.POSITIVE_INFINITY],
    ["body_timeout", halfBody, Number.POSITIVE_INFINITY],
    ["write_timeout", request, 7],
    ["none, as keepalive is the ordinary end of a connection", request, Number.POSITIVE_INFINITY],
  ];
  test.each(rows)("of %s", async (setting, sent, room) => {
    const engine = new FakeEngine(async (asked) => new Response(await asked.text()));
    const wire = new FakeWire();
    wire.room = room;
    engine.connect(wire).send(sent);
    await engine.settle();
    engine.tick(longest);
    const expected = clientTimeouts.map((each) => (each === setting ? 1 : 0));
    expect([...engine.scores.timeouts]).toEqual(expected);
  });
});

test("errors are what the app got wrong", async () => {
  const engine = new FakeEngine(() => {
    throw new Error("broken");
  });
  engine.connect().send(request);
  engine.connect().send("GET\r\n\r\n");
  await engine.settle();
  expect(engine.scores.errors).toBe(1);
});
