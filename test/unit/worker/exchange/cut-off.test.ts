/** An app that ends its client's connection itself, as node listeners may: in place of an answer, or behind one. */
import { describe, expect, test } from "bun:test";
import { ConnectionCut } from "../../../../src/app/connection-cut.ts";
import { requestOwner } from "../../../../src/http/request/request.ts";
import type { Exchange } from "../../../../src/worker/exchange/exchange.ts";
import { FakeEngine, later, statuses } from "../../../support/fake-engine.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

function hangUp(request: Request): void {
  (requestOwner(request) as Exchange).connection.hangUp();
}

function cutStream(): ReadableStream {
  let pulls = 0;
  return new ReadableStream({
    pull(controller) {
      pulls += 1;
      if (pulls === 1) controller.enqueue(Buffer.from("abc"));
      else controller.error(new ConnectionCut());
    },
  });
}

describe("in place of an answer", () => {
  const rows: [how: string, answer: () => Response | Promise<Response>, seen: string][] = [
    [
      "it throws",
      () => {
        throw new ConnectionCut();
      },
      "",
    ],
    ["it rejects", () => Promise.reject(new ConnectionCut()), ""],
    ["its stream breaks at once", () => new Response(brokenStream()), ""],
    ["its stream breaks off", () => new Response(cutStream()), "3\r\nabc\r\n"],
  ];
  test.each(rows)(
    "%s: the client gets no more, and only who debugs hears of it",
    async (_how, answer, seen) => {
      const engine = new FakeEngine(answer);
      const wire = engine.connect();
      wire.send(get("/a") + get("/b"));
      await engine.settle();
      wire.fin();
      await engine.settle();
      expect(wire.text.split("\r\n\r\n").slice(1).join("\r\n\r\n")).toBe(seen);
      expect(wire.text).not.toContain("0\r\n\r\n");
      expect([wire.closed, engine.connections, engine.inFlight]).toEqual([true, 0, 0]);
      expect(engine.events).toEqual(["GET /a"]);
      expect(engine.lines).toEqual([
        `debug: Gave up GET /a: Error: ${new ConnectionCut().message}`,
      ]);
    },
  );
});

function brokenStream(): ReadableStream {
  return new ReadableStream({
    start: (controller) => controller.error(new ConnectionCut()),
  });
}

describe("behind an answer", () => {
  test("that is under way, no request follows", async () => {
    const { promise, resolve } = later();
    const engine = new FakeEngine((request) => {
      hangUp(request);
      return promise;
    });
    const wire = engine.connect();
    wire.send(get("/a") + get("/b"));
    expect(wire.text).toBe("");
    resolve(new Response("hello"));
    await engine.settle();
    wire.fin();
    expect([statuses(wire.text), wire.closed]).toEqual([[200], true]);
    expect(engine.events).toEqual(["GET /a"]);
  });

  test("that is out, it ends at once", () => {
    const requests: Request[] = [];
    const engine = new FakeEngine((request) => {
      requests.push(request);
      return new Response("hello");
    });
    const wire = engine.connect();
    wire.send(get("/a"));
    expect([statuses(wire.text), wire.closed]).toEqual([[200], false]);
    for (const request of requests) hangUp(request);
    wire.fin();
    expect([wire.closed, engine.connections]).toEqual([true, 0]);
    for (const request of requests) hangUp(request);
    expect(engine.lines).toEqual([]);
  });
});
