/** A connection that is left to a successor while a request is under way, which isn't answered then. */
import { describe, expect, test } from "bun:test";
import { requestOwner } from "../../../../src/http/request/request.ts";
import { Http1 } from "../../../../src/worker/connection/http1.ts";
import type { Exchange } from "../../../../src/worker/exchange/exchange.ts";
import { FakeEngine, type Fetch, later } from "../../../support/fake-engine.ts";
import { get } from "../../../support/wire.ts";

interface Seen {
  /** What the successor has been told. */
  readonly events: string[];
  /** Leaves the connection of a request; false if it is too late. */
  leave(request: Request): boolean;
}

function successor(): Seen {
  const events: string[] = [];
  const leave = (request: Request): boolean => {
    const reply = (requestOwner(request) as Exchange).upgrade();
    if (!(reply instanceof Http1)) return false;
    reply.handOver({
      take: (_connection, _wire, unread, ended) =>
        void events.push(`take "${unread.toString("latin1")}"${ended ? " and FIN" : ""}`),
      lost: () => void events.push("lost"),
    });
    return true;
  };
  return { events, leave };
}

/** Leaves at "/leave", answers anything else. */
function engineOf({ leave }: Seen, answer: () => Response | Promise<Response>): FakeEngine {
  const fetch: Fetch = (request) => {
    if (!request.url.endsWith("/leave")) return new Response("x".repeat(100));
    leave(request);
    return answer();
  };
  return new FakeEngine(fetch);
}

const ignored = () => new Response("ignored");

describe("a connection that is left", () => {
  test("gives away what came behind the request, and is answered nothing", () => {
    const seen = successor();
    const engine = engineOf(seen, ignored);
    const wire = engine.connect();
    wire.send(`${get("/leave")}behind`);
    expect(seen.events).toEqual(['take "behind"']);
    expect([wire.text, wire.closed, engine.inFlight]).toEqual(["", false, 0]);
  });

  test("gives away FIN that came behind the request", async () => {
    const seen = successor();
    const engine = new FakeEngine(async (request) => {
      await Promise.resolve();
      seen.leave(request);
      return ignored();
    });
    const wire = engine.connect();
    wire.send(get("/leave"));
    wire.fin();
    await engine.settle();
    expect(seen.events).toEqual(['take "" and FIN']);
  });

  test("writes the answers before it first", () => {
    const seen = successor();
    const engine = engineOf(seen, ignored);
    const wire = engine.connect();
    wire.room = 10;
    wire.send(`${get("/first")}${get("/leave")}behind`);
    expect(seen.events).toEqual([]);
    wire.send("more");
    wire.drain();
    expect(seen.events).toEqual(['take "behindmore"']);
    expect(wire.text).toEndWith("x".repeat(100));
  });

  test("is lost if the client leaves before that, and the request is logged as such", () => {
    const seen = successor();
    const engine = engineOf(seen, ignored);
    const wire = engine.connect();
    wire.room = 10;
    wire.send(`${get("/first")}${get("/leave")}`);
    wire.reset();
    expect(seen.events).toEqual(["lost"]);
    expect(engine.told.at(-1)).toBe("GET /leave 499 0");
    expect(engine.connections).toBe(0);
  });

  test("is lost if the client doesn't take those answers", () => {
    const seen = successor();
    const engine = engineOf(seen, ignored);
    const wire = engine.connect();
    wire.room = 10;
    wire.send(`${get("/first")}${get("/leave")}`);
    engine.tick(100);
    expect([wire.closed, seen.events]).toEqual([true, ["lost"]]);
  });

  const outcomes: [
    claim: string,
    settle: (answer: PromiseWithResolvers<Response>) => void,
    says: RegExp | null,
  ][] = [
    ["answers later", (answer) => answer.resolve(ignored()), null],
    ["answers with a stream", (answer) => answer.resolve(new Response(new ReadableStream())), null],
    ["answers nothing", (answer) => answer.resolve(undefined as never), null],
    ["throws", (answer) => answer.reject(new Error("on purpose")), /on purpose/],
  ];

  test.each(outcomes)("doesn't care that the app %s", async (_claim, settle, says) => {
    const seen = successor();
    const answer = later();
    const engine = engineOf(seen, () => answer.promise);
    const wire = engine.connect();
    wire.send(get("/leave"));
    expect([seen.events, engine.inFlight]).toEqual([['take ""'], 1]);
    settle(answer);
    await engine.settle();
    expect([wire.text, wire.closed, engine.inFlight]).toEqual(["", false, 0]);
    expect(engine.lines.join("\n")).toMatch(says ?? /^$/);
    expect(engine.ended).toEqual(["GET /leave 101"]);
  });

  test("can't be left twice, nor behind the answer", async () => {
    const seen = successor();
    const results: boolean[] = [];
    const engine = new FakeEngine((request) => {
      if (request.url.endsWith("/late")) {
        setImmediate(() => results.push(seen.leave(request)));
        return new Response("answered");
      }
      results.push(seen.leave(request), seen.leave(request));
      return ignored();
    });
    engine.connect().send(get("/late"));
    await engine.settle();
    engine.connect().send(get("/twice"));
    expect(results).toEqual([false, true, false]);
    expect(seen.events).toEqual(['take ""']);
  });
});
