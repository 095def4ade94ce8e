/** server.earlyHints() where the client doesn't take bytes, or leaves. */
import { expect, test } from "bun:test";
import { highWaterBytes } from "../../../../src/http/limits.ts";
import { FakeEngine, later, statuses } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const link = { link: "</a.css>; rel=preload" };

test("one that the client doesn't take waits, and above the mark none is added", () => {
  let sent = 0;
  const engine = new FakeEngine((request, server) => {
    while (server.earlyHints(request, link) && sent < 10_000) sent += 1;
    return new Response("hello");
  });
  const wire = new FakeWire();
  wire.room = 0;
  engine.connect(wire).send(get);
  const length = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n".length;
  expect(sent).toBe(Math.floor(highWaterBytes / length) + 1);
  wire.drain();
  expect(statuses(wire.text).slice(-2)).toEqual([103, 200]);
  expect(engine.told).toEqual(["GET / 200 5"]);
});

test("a client that has left by then aborts the request in the app's hands", async () => {
  const events: string[] = [];
  const wire = new FakeWire();
  const engine = new FakeEngine((request, server) => {
    request.signal.addEventListener("abort", () => void events.push("abort"));
    // The socket hasn't told yet: the write meets the reset.
    wire.write = () => -1;
    events.push(String(server.earlyHints(request, link)), String(server.earlyHints(request, link)));
    return new Response("hello");
  });
  engine.connect(wire).send(get + get);
  await engine.settle();
  expect(events).toEqual(["abort", "false", "false"]);
  expect(engine.events).toEqual(["GET /"]);
  expect([engine.inFlight, engine.connections, wire.closed]).toEqual([0, 0, true]);
  expect(engine.lines).toEqual([]);
});

test("is false when the client has left", async () => {
  const answer = later();
  let ask = () => true;
  const engine = new FakeEngine((request, server) => {
    ask = () => server.earlyHints(request, link);
    return answer.promise;
  });
  const wire = engine.connect();
  wire.send(get);
  wire.reset();
  expect(ask()).toBe(false);
  answer.resolve(new Response("hello"));
  await engine.settle();
  expect([wire.text, engine.inFlight]).toEqual(["", 0]);
});

test("comes to a client that has only sent its FIN", async () => {
  const answer = later();
  let ask = () => false;
  const engine = new FakeEngine((request, server) => {
    ask = () => server.earlyHints(request, link);
    return answer.promise;
  });
  const wire = engine.connect();
  wire.send(get);
  wire.fin();
  expect(ask()).toBe(true);
  expect(statuses(wire.text)).toEqual([103]);
  answer.resolve(new Response("hello"));
  await engine.settle();
  expect(statuses(wire.text)).toEqual([103, 200]);
});
