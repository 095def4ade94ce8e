/** A tunnel between two sockets that take what a test says: slowness, ends and resets of both sides. */
import { describe, expect, test } from "bun:test";
import { Tunnel } from "../../../../src/worker/upgrades/tunnel.ts";
import { FakeWire } from "../../../support/fake-wire.ts";
import { deadlines } from "../../../support/tunnel-deadlines.ts";

interface Parts {
  readonly client: FakeWire;
  readonly inner: FakeWire;
  readonly tunnel: Tunnel;
  /** What was told of the answer. */
  readonly told: (number | null)[];
}

function make(ended = false): Parts {
  const client = new FakeWire();
  const inner = new FakeWire(null);
  const told: (number | null)[] = [];
  const tunnel = new Tunnel({
    client,
    first: Buffer.from("first"),
    ended,
    deadlines,
    answered: (status) => void told.push(status),
  });
  inner.owner = {
    receive: (bytes) => tunnel.innerReceive(bytes),
    drained: () => tunnel.innerDrained(),
    clientEnded: () => tunnel.innerEnded(),
    closed: () => tunnel.innerClosed(),
  };
  return { client, inner, tunnel, told };
}

function opened(): Parts {
  const parts = make();
  parts.tunnel.opened(parts.inner);
  parts.inner.send("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  parts.client.take();
  parts.inner.take();
  parts.client.did.length = 0;
  return parts;
}

/** After how many ticks the client's socket closes; null: not within a hundred. */
function ticksUntilClosed({ client, tunnel }: Parts): number | null {
  for (let count = 1; count <= 100; count++) {
    tunnel.tick();
    if (client.closed) return count;
  }
  return null;
}

describe("while the inner side isn't there", () => {
  test("the client isn't read, and what it has sent comes first", () => {
    const { client, inner, tunnel } = make();
    client.send("second");
    expect([client.paused, inner.text]).toEqual([true, ""]);
    tunnel.opened(inner);
    client.turn();
    expect([client.paused, inner.text]).toEqual([false, "firstsecond"]);
  });

  test("bytes that come all the same are kept", () => {
    const { inner, tunnel } = make();
    tunnel.receive(Buffer.from("second"));
    tunnel.opened(inner);
    expect(inner.text).toBe("firstsecond");
  });

  test("a client that leaves meanwhile is told, and the inner socket is closed", () => {
    const { client, inner, tunnel, told } = make();
    client.reset();
    expect(told).toEqual([null]);
    tunnel.opened(inner);
    expect(inner.did).toEqual(["terminate"]);
  });

  test("FIN that came with the handshake follows it", () => {
    const { inner, tunnel } = make(true);
    tunnel.opened(inner);
    expect([inner.text, inner.did]).toEqual(["first", ["shutdown"]]);
  });

  test("the client gets an answer if there won't be one", () => {
    const { client, tunnel, told } = make();
    tunnel.refused();
    expect(client.text).toStartWith("HTTP/1.1 503 Service Unavailable\r\n");
    expect([client.closed, told]).toEqual([true, [null]]);
  });

  test("the worker may leave", () => {
    const { client, tunnel } = make();
    tunnel.leave();
    expect(client.closed).toBe(true);
  });
});

describe("an inner side that has closed, and takes nothing more", () => {
  const torn = (): Parts => {
    const parts = opened();
    parts.inner.write = () => -1;
    parts.client.send("more");
    return parts;
  };

  test("is heard to its end", () => {
    const { client, inner } = torn();
    client.send("still more");
    inner.send("last");
    inner.reset();
    expect([client.text, client.did.at(-1)]).toEqual(["last", "shutdown"]);
  });

  test("isn't waited for without an end", () => {
    expect(ticksUntilClosed(torn())).toBe(deadlines.lingerTicks);
  });
});

describe("the answer's status is told once", () => {
  const rows: [claim: string, bytes: string, told: number | null][] = [
    ["of a websocket", "HTTP/1.1 101 Switching Protocols\r\n\r\n", 101],
    ["of a refusal", "HTTP/1.1 401 Unauthorized\r\n\r\n", 401],
    ["of HTTP/1.0", "HTTP/1.0 101 Go\r\n\r\n", 101],
    ["of what is no HTTP", "hello", null],
  ];
  test.each(rows)("%s", (_claim, bytes, status) => {
    const { inner, tunnel, told } = make();
    tunnel.opened(inner);
    inner.send(bytes);
    inner.send(bytes);
    inner.reset();
    expect(told).toEqual([status]);
  });

  test("of an inner side that closes without one", () => {
    const { inner, tunnel, told } = make();
    tunnel.opened(inner);
    inner.reset();
    expect(told).toEqual([null]);
  });
});

describe("a side that takes less than all", () => {
  test("the client: the inner side isn't read until it has taken the rest", () => {
    const { client, inner } = opened();
    client.room = 2;
    inner.send("abcdef", 3);
    expect([client.take(), inner.paused]).toEqual(["ab", true]);
    client.drain(1);
    inner.turn();
    expect([client.take(), inner.paused]).toEqual(["c", true]);
    client.drain();
    inner.turn();
    expect([client.take(), inner.paused]).toEqual(["def", false]);
  });

  test("the inner side: the client isn't read until it has taken the rest", () => {
    const { client, inner } = opened();
    inner.room = 2;
    client.send("abcdef", 3);
    expect([inner.take(), client.paused]).toEqual(["ab", true]);
    inner.drain();
    client.turn();
    expect([inner.take(), client.paused]).toEqual(["cdef", false]);
  });

  test("neither waits for the other", () => {
    const { client, inner } = opened();
    client.room = 0;
    inner.send("down");
    client.send("up");
    expect([inner.take(), client.take(), inner.paused, client.paused]).toEqual([
      "up",
      "",
      true,
      false,
    ]);
  });

  test("a client that takes nothing is reset after write_timeout", () => {
    const parts = opened();
    parts.client.room = 0;
    parts.inner.send("abc");
    expect(ticksUntilClosed(parts)).toBe(deadlines.writeTicks);
    expect([parts.client.did.at(-1), parts.inner.did.at(-1)]).toEqual(["terminate", "terminate"]);
  });

  test("one that takes a byte now and then isn't", () => {
    const parts = opened();
    parts.client.room = 0;
    parts.inner.send("abcdefgh");
    for (let count = 0; count < 7; count++) {
      for (let ticks = 1; ticks < deadlines.writeTicks; ticks++) parts.tunnel.tick();
      parts.client.drain(1);
    }
    expect(parts.client.closed).toBe(false);
    parts.client.drain();
    expect(ticksUntilClosed(parts)).toBeNull();
  });

  test("an inner side that takes nothing may do so for ever", () => {
    const parts = opened();
    parts.inner.room = 0;
    parts.client.send("abc");
    expect(ticksUntilClosed(parts)).toBeNull();
  });
});

test("an idle tunnel has no deadline", () => {
  expect(ticksUntilClosed(opened())).toBeNull();
});

describe("the ends", () => {
  test("FIN of the client goes behind its bytes, and the inner side may go on", () => {
    const { client, inner } = opened();
    inner.room = 1;
    client.send("abc");
    client.fin();
    expect(inner.did).not.toContain("shutdown");
    inner.drain();
    client.turn();
    expect([inner.take(), inner.did.at(-1)]).toEqual(["abc", "shutdown"]);
    inner.send("still");
    expect([client.take(), client.closed]).toEqual(["still", false]);
    inner.fin();
    expect([client.closed, inner.closed]).toEqual([true, true]);
  });

  test("FIN of the inner side goes behind its bytes, and the client may go on", () => {
    const { client, inner } = opened();
    client.room = 1;
    inner.send("abc");
    inner.fin();
    inner.turn();
    expect(client.did).not.toContain("shutdown");
    client.drain();
    inner.turn();
    expect([client.take(), client.did.at(-1)]).toEqual(["abc", "shutdown"]);
    client.send("still");
    expect(inner.take()).toBe("still");
    client.fin();
    expect([client.closed, inner.closed]).toEqual([true, true]);
  });

  test("a client that closes closes the inner side", () => {
    const { client, inner } = opened();
    client.reset();
    expect(inner.did.at(-1)).toBe("terminate");
  });

  test("of an inner side that closes the client gets the rest, FIN, and time to close", () => {
    const parts = opened();
    const { client, inner } = parts;
    client.room = 1;
    inner.send("abc");
    inner.reset();
    client.drain();
    expect([client.take(), client.did.at(-1)]).toEqual(["abc", "shutdown"]);
    client.send("for nobody");
    expect(ticksUntilClosed(parts)).toBe(deadlines.lingerTicks);
    expect(client.did.at(-1)).toBe("end");
  });

  test("a client that has closed its side already isn't waited for", () => {
    const { client, inner } = opened();
    client.fin();
    inner.reset();
    expect(client.did.at(-1)).toBe("end");
  });

  test("a client that is paused for the inner side is read again when that closes", () => {
    const { client, inner } = opened();
    inner.room = 0;
    client.send("abc");
    client.fin();
    expect(client.paused).toBe(true);
    inner.reset();
    client.turn();
    expect(client.closed).toBe(true);
  });

  test("a client whose reset a write meets is closed", () => {
    const { client, inner } = opened();
    client.owner = null;
    client.reset();
    inner.send("abc");
    expect(inner.closed).toBe(true);
  });

  test("the worker leaves: the inner side gets FIN, and the client what it says then", () => {
    const { client, inner, tunnel } = opened();
    tunnel.leave();
    expect([inner.did.at(-1), client.did]).toEqual(["shutdown", []]);
    inner.send("bye");
    inner.fin();
    expect([client.take(), client.closed, inner.closed]).toEqual(["bye", true, true]);
  });

  test("the worker leaves: an inner side that closes at once, and a client that doesn't", () => {
    const parts = opened();
    parts.tunnel.leave();
    parts.inner.reset();
    expect([parts.client.did.at(-1), parts.client.closed]).toEqual(["shutdown", false]);
    expect(ticksUntilClosed(parts)).toBe(deadlines.lingerTicks);
  });

  test("the worker leaves: an inner side that doesn't care has its time", () => {
    const parts = opened();
    parts.tunnel.leave();
    parts.inner.send("still");
    expect(ticksUntilClosed(parts)).toBe(deadlines.lingerTicks);
    expect([parts.client.take(), parts.inner.closed]).toEqual(["still", true]);
  });
});
