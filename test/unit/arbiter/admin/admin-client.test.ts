import { describe, expect, test } from "bun:test";
import { AdminClient, type AdminWire } from "../../../../src/arbiter/admin/admin-client.ts";
import type { AdminAnswer } from "../../../../src/arbiter/admin/pages.ts";

/** A socket that takes so many bytes, and no more until it has room again. */
class Wire implements AdminWire {
  taken = "";
  room = Number.POSITIVE_INFINITY;
  readonly ends: string[] = [];

  write(data: string | Uint8Array): number {
    const bytes = Buffer.from(data as string).subarray(0, Math.min(this.room, data.length));
    this.taken += bytes.toString();
    this.room -= bytes.length;
    return bytes.length;
  }

  shutdown(): void {
    this.ends.push("shutdown");
  }

  end(): void {
    this.ends.push("end");
  }

  terminate(): void {
    this.ends.push("terminate");
  }
}

const events: AdminAnswer = {
  status: 200,
  type: "text/event-stream",
  body: "data: 0\n\n",
  fields: "",
  next: null,
};

function clientOf(
  answer: () => AdminAnswer | Promise<AdminAnswer>,
  { mayWatch = true, method = "GET" } = {},
) {
  const wire = new Wire();
  const logged: string[] = [];
  const client = new AdminClient(wire, {
    answer,
    mayWatch: () => mayWatch,
    log: (level, message) => void logged.push(`${level}: ${message}`),
  });
  client.receive(Buffer.from(`${method} /a HTTP/1.1\r\nHost: a\r\n\r\n`));
  return { wire, client, logged };
}

/** One that watches what counts up. */
function watching(options = {}) {
  let count = 0;
  return clientOf(() => ({ ...events, next: () => `data: ${(count += 1)}\n\n` }), options);
}

const bodyOf = ({ taken }: Wire) => taken.slice(taken.indexOf("\r\n\r\n") + 4);

describe("AdminClient", () => {
  test("one that watches gets an event with each tick, for as long as it stays", () => {
    const { wire, client } = watching();
    expect(client.watches).toBe(true);
    expect(wire.taken).not.toContain("Content-Length");
    for (let tick = 0; tick < 30; tick += 1) client.tick();
    expect(bodyOf(wire).match(/data: \d+\n\n/g)).toHaveLength(31);
    expect(wire.ends).toEqual([]);
    client.ended();
    expect(wire.ends).toEqual(["end"]);
  });

  test("one that is slow misses events, and none is cut", () => {
    const { wire, client } = watching();
    wire.room = 12;
    for (let tick = 0; tick < 5; tick += 1) client.tick();
    wire.room = Number.POSITIVE_INFINITY;
    client.drained();
    client.tick();
    expect(bodyOf(wire)).toBe("data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n");
    expect(wire.ends).toEqual([]);
  });

  test("one that takes nothing is cut, and little waits for it", () => {
    const { wire, client } = watching();
    wire.room = 0;
    for (let tick = 0; tick < 7; tick += 1) client.tick();
    expect(wire.ends).toEqual(["terminate"]);
    wire.room = Number.POSITIVE_INFINITY;
    client.drained();
    expect(bodyOf(wire)).toBe("data: 0\n\ndata: 1\n\n");
  });

  test("there are as many that watch as may", () => {
    const { wire, client } = watching({ mayWatch: false });
    expect(wire.taken).toStartWith("HTTP/1.1 503 ");
    expect(client.watches).toBe(false);
    expect(wire.ends).toEqual(["shutdown"]);
  });

  test("HEAD doesn't watch", () => {
    const { wire, client } = watching({ method: "HEAD" });
    expect(client.watches).toBe(false);
    expect(bodyOf(wire)).toBe("");
    expect(wire.ends).toEqual(["shutdown"]);
  });

  test("an answer that comes later is waited for, also by who has said all", async () => {
    const { promise, resolve } = Promise.withResolvers<AdminAnswer>();
    const { wire, client } = clientOf(() => promise);
    client.ended();
    expect(wire.ends).toEqual([]);
    resolve(events);
    await promise;
    expect(bodyOf(wire)).toBe("data: 0\n\n");
    expect(wire.ends).toEqual(["shutdown"]);
  });

  test("a page that can't be made is told, and has an answer", async () => {
    const failure = Promise.reject<AdminAnswer>(new Error("gone"));
    const { wire, logged } = clientOf(() => failure);
    await failure.catch(() => {});
    expect(wire.taken).toStartWith("HTTP/1.1 500 ");
    expect(logged).toEqual([expect.stringMatching(/^error: admin_bind: \/a: Error: gone/)]);
  });

  test("one that asks for nothing has so many ticks", () => {
    const wire = new Wire();
    const parts = { answer: () => events, mayWatch: () => true, log: () => {} };
    const client = new AdminClient(wire, parts);
    for (let tick = 0; tick < 10; tick += 1) client.tick();
    expect(wire.ends).toEqual([]);
    client.tick();
    expect(wire.ends).toEqual(["terminate"]);
  });
});
