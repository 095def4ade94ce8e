/** A last answer waits for FIN, to leave in one packet with it, and for nothing else. */
import { expect, test } from "bun:test";
import { FakeEngine, nextTurn } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const first = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

function connected(body = "hello", room = Number.POSITIVE_INFINITY) {
  const engine = new FakeEngine(() => new Response(body), { holdsBack: true });
  const wire = new FakeWire();
  wire.room = room;
  engine.connect(wire);
  return wire;
}

test.each<[claim: string, sent: string[], body: string, did: string[]]>([
  ["the last answer", [last], "hello", ["hold back", "close"]],
  ["the last of several", [first, first, last], "hello", ["hold back", "shutdown"]],
  ["of pipelined ones", [first + last], "hello", ["hold back", "close"]],
  ["a refusal", ["nonsense\r\n\r\n"], "hello", ["hold back", "shutdown"]],
  ["no other answer", [first, first], "hello", []],
  ["none that fills packets of its own", [last], "x".repeat(64 * 1024), ["shutdown"]],
])("%s", (_claim, sent, body, did) => {
  const wire = connected(body);
  for (const each of sent) wire.send(each);
  expect(wire.did).toEqual(did);
});

test("what the socket doesn't take isn't waited for", () => {
  const wire = connected("hello", 10);
  wire.send(last);
  expect(wire.did).toEqual(["hold back", "let go"]);
  wire.drain();
  expect(wire.did).toEqual(["hold back", "let go", "shutdown"]);
  expect(wire.text).toEndWith("hello");
});

test("a client that has sent FIN already gets its answer at once", async () => {
  const fetch = async () => {
    await nextTurn();
    return new Response("late");
  };
  const engine = new FakeEngine(fetch, { holdsBack: true });
  const wire = engine.connect();
  wire.send(last);
  wire.fin();
  await nextTurn();
  await nextTurn();
  expect(wire.text).toEndWith("late");
  expect(wire.did).toEqual(["end"]);
});
