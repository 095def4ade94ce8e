import { describe, expect, test } from "bun:test";
import { until } from "../../../support/server.ts";
import { guardWebsocket, type Socket } from "../../../../src/app/websocket/handlers.ts";

type Handlers = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

/** A guarded option with all that happened to it and its one socket, in order. */
function guarded(websocket: object, maxMessageBytes = 0) {
  const events: string[] = [];
  const socket = {
    remoteAddress: "192.0.2.7",
    close: (code: number, reason: string) => events.push(`close() ${code} ${reason}`),
  } as unknown as Socket;
  const option = guardWebsocket(websocket, {
    log: {
      exception: (message) => events.push(message.split("\n").slice(0, 2).join(" | ")),
    },
    maxMessageBytes,
    bounded: (length) => events.push(`bounded ${length}`),
    opened: () => events.push("opened"),
    closed: () => events.push("closed"),
  });
  return { option: option as unknown as Record<string, unknown>, socket, events };
}

const names = ["open", "message", "drain", "close", "ping", "pong"];

describe("guardWebsocket()", () => {
  const failures: [how: string, fail: () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("on purpose");
      },
    ],
    ["rejects", () => Promise.reject(new Error("on purpose"))],
    [
      "rejects later",
      async () => {
        await Bun.sleep(1);
        throw new Error("on purpose");
      },
    ],
  ];
  const rows = names.flatMap((name) => failures.map(([how, fail]) => [name, how, fail] as const));

  test.each(rows)(
    "%s that %s is logged, and its socket closed with 1011",
    async (name, _, fail) => {
      const { option, socket, events } = guarded({ message() {}, [name]: fail });
      expect(() => (option as Handlers)[name]?.(socket, 1, 2)).not.toThrow();
      await until("its end", () => events.some((event) => event.startsWith("close() ")));
      const told = `Error handling websocket ${name} of 192.0.2.7 | Error: on purpose`;
      const own = { open: "opened", close: "closed" }[name];
      expect(events.filter((event) => event !== own)).toEqual([
        told,
        "close() 1011 Internal error",
      ]);
      expect(events.includes(own ?? told)).toBe(true);
    },
  );

  test.each(names)("%s gets what Bun gives it, and its own object as this", (name) => {
    const calls: unknown[] = [];
    class Own {
      [name](...args: readonly unknown[]) {
        calls.push([this, ...args]);
      }
    }
    const own = new Own();
    const { option, socket } = guarded(own);
    (option as Handlers)[name]?.(socket, 1000, "reason");
    const args = name === "open" ? [undefined, undefined] : [1000, "reason"];
    expect(calls).toEqual([[own, socket, ...args]]);
  });

  test("tells of open before the app's handler, and of close after it", () => {
    const { option, socket, events } = guarded({
      open: () => events.push("app's open"),
      close: () => events.push("app's close"),
    });
    (option as Handlers)["open"]?.(socket);
    (option as Handlers)["close"]?.(socket, 1000, "");
    expect(events).toEqual(["opened", "app's open", "app's close", "closed"]);
  });

  test("tells of both where the app has neither", () => {
    const { option, socket, events } = guarded({ message() {} });
    (option as Handlers)["open"]?.(socket);
    (option as Handlers)["close"]?.(socket, 1000, "");
    expect(events).toEqual(["opened", "closed"]);
    expect(option["ping"]).toBeUndefined();
  });

  test("leaves everything else as it is", () => {
    const others = {
      perMessageDeflate: { compress: "shared" },
      idleTimeout: 7,
      backpressureLimit: 8,
      closeOnBackpressureLimit: true,
      sendPings: false,
      publishToSelf: true,
      data: {},
      maxPayloadLength: 9,
    };
    const { option } = guarded(others);
    for (const [name, value] of Object.entries(others)) expect(option[name]).toBe(value);
  });

  test("leaves to Bun.serve what it refuses", () => {
    const { option } = guarded({ message: 5, maxPayloadLength: "x" }, 9);
    expect([option["message"], option["maxPayloadLength"]]).toEqual([5, "x"]);
  });

  const lengths: [own: unknown, setting: number, counts: unknown, lines: number][] = [
    [undefined, 0, undefined, 0],
    [undefined, 100, 100, 0],
    [null, 100, 100, 0],
    [99, 100, 99, 0],
    [100, 100, 100, 0],
    [101, 100, 100, 1],
    [101, 0, 101, 0],
    [Number.POSITIVE_INFINITY, 100, 100, 1],
  ];
  test.each(lengths)("maxPayloadLength %p bounded by %d is %p", (own, setting, counts, lines) => {
    const { option, events } = guarded({ message() {}, maxPayloadLength: own }, setting);
    expect(option["maxPayloadLength"]).toBe(counts as never);
    expect(events).toHaveLength(lines);
  });
});
