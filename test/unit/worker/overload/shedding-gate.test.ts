/** What a client gets that is refused before the app is asked, and what becomes of its connection. */
import { describe, expect, test } from "bun:test";
import type { RequestFacts } from "../../../../src/api/request-record.ts";
import { Gate } from "../../../../src/worker/exchange/gate.ts";
import { SheddingGate } from "../../../../src/worker/overload/shedding-gate.ts";
import { bodies, FakeEngine, later, statuses } from "../../../support/fake-engine.ts";

/** Refuses what /no is asked for. */
function judge() {
  return {
    ended: 0,
    refuses: ({ target }: RequestFacts) => target === "/no",
    finished(): void {
      this.ended += 1;
    },
  };
}

const rows: readonly (readonly [
  claim: string,
  sent: string,
  seen: { readonly body?: boolean; readonly ends?: boolean },
])[] = [
  ["a request", "GET /no HTTP/1.1\r\nHost: x\r\n\r\n", {}],
  ["HEAD", "HEAD /no HTTP/1.1\r\nHost: x\r\n\r\n", { body: false }],
  ["a body that is there", "POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", {}],
  [
    "a body that isn't there",
    "POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
    { ends: true },
  ],
  [
    "who wants no other",
    "GET /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    { ends: true },
  ],
  ["HTTP/1.0", "GET /no HTTP/1.0\r\n\r\n", { ends: true }],
  [
    "a websocket",
    "GET /no HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    {},
  ],
];

test.each(rows)(
  "%s: 503, and the app isn't asked",
  (_claim, sent, { body = true, ends = false }) => {
    const engine = new FakeEngine(undefined, { door: new SheddingGate(judge(), null) });
    const wire = engine.connect();
    wire.send(sent);
    expect(statuses(wire.text)).toEqual([503]);
    expect(wire.text).toContain("\r\nRetry-After: 1\r\n");
    expect(wire.text.includes("<title>Service Unavailable</title>")).toBe(body);
    expect(engine.events).toEqual([]);
    expect(engine.ended).toEqual([]);
    expect(engine.told).toEqual([expect.stringMatching(/^(GET|HEAD|POST) \/no 503 /)]);
    expect(wire.did.includes("shutdown")).toBe(ends);
    if (ends) return;
    wire.send("GET /yes HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(statuses(wire.text)).toEqual([503, 200]);
    expect(engine.events).toEqual(["GET /yes"]);
  },
);

describe("with threads", () => {
  test("who is taken on waits for its turn, and who is refused doesn't", async () => {
    const answers = [later(), later()];
    let asked = 0;
    const whoJudges = judge();
    const door = new SheddingGate(whoJudges, new Gate(1));
    const engine = new FakeEngine(() => answers[asked++]!.promise, { door });
    const [first, second, third] = [engine.connect(), engine.connect(), engine.connect()];
    first.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    second.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    third.send("GET /no HTTP/1.1\r\nHost: x\r\n\r\n");
    expect([asked, statuses(second.text), statuses(third.text)]).toEqual([1, [], [503]]);
    answers[0]!.resolve(new Response("one"));
    await engine.settle();
    answers[1]!.resolve(new Response("two"));
    await engine.settle();
    expect([bodies(first.text), bodies(second.text)]).toEqual([["one"], ["two"]]);
    expect(whoJudges.ended).toBe(2);
    expect(door.moves()).toBe(true);
  });

  test("who leaves while it waits has come to its end", async () => {
    const whoJudges = judge();
    const gate = new Gate(1);
    const engine = new FakeEngine(() => later().promise, {
      door: new SheddingGate(whoJudges, gate),
    });
    const [first, second] = [engine.connect(), engine.connect()];
    first.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    second.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    second.reset();
    await engine.settle();
    expect(whoJudges.ended).toBe(1);
    expect(gate.oldestMs(1e9)).toBe(0);
  });
});
