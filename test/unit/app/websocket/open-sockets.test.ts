import { describe, expect, test } from "bun:test";
import type { Socket } from "../../../../src/app/websocket/handlers.ts";
import { dueNow, OpenSockets, spreadMs } from "../../../../src/app/websocket/open-sockets.ts";

describe("spreadMs()", () => {
  const rows: [count: number, limitMs: number, ms: number][] = [
    [0, 30_000, 0],
    [1, 30_000, 10],
    [200, 30_000, 2000],
    [2250, 30_000, 22_500],
    [100_000, 30_000, 22_500],
    [100_000, 0, 0],
    [100_000, -5, -3.75],
  ];
  test.each(rows)("of %d sockets within %d ms is %d ms", (count, limitMs, ms) => {
    expect(spreadMs(count, limitMs)).toBe(ms);
  });
});

describe("dueNow()", () => {
  const rows: [open: number, leftMs: number, due: number][] = [
    [0, 1000, 0],
    [1, 1000, 1],
    [51, 1000, 1],
    [52, 1000, 2],
    [1000, 19, 1000],
    [1000, 0, 1000],
    [1000, -1, 1000],
  ];
  test.each(rows)("of %d sockets with %d ms left is %d", (open, leftMs, due) => {
    expect(dueNow(open, leftMs)).toBe(due);
  });

  test.each([1, 7, 100, 1001, 50_000])("asked every tick closes all %d, evenly", (count) => {
    let open: number = count;
    const closed: number[] = [];
    for (let leftMs = 2000; leftMs >= 0; leftMs -= 20) {
      const due = dueNow(open, leftMs);
      closed.push(due);
      open -= due;
    }
    expect(open).toBe(0);
    const most = Math.ceil(count / 101);
    expect(closed.filter((due) => due > most)).toEqual([]);
  });
});

describe("OpenSockets", () => {
  /** Sockets that tell their close, as Bun's do: within close(). */
  function create(count: number, buffered: (index: number) => number = () => 0) {
    const sockets = new OpenSockets();
    const codes: number[] = [];
    const open = (index: number) => {
      const socket = {
        getBufferedAmount: () => buffered(index),
        close(code: number) {
          codes.push(code);
          sockets.delete(socket as unknown as Socket);
        },
      };
      sockets.add(socket as unknown as Socket);
      return socket as unknown as Socket;
    };
    const all = Array.from({ length: count }, (_, index) => open(index));
    return { sockets, codes, open, all };
  }

  test("knows those that are open, and those that have closed", () => {
    const { sockets, all } = create(2);
    const [first, second] = all as [Socket, Socket];
    sockets.delete(first);
    const { all: others } = create(1);
    expect(sockets.size).toBe(1);
    expect([first, second, ...others].map((each) => sockets.has(each))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("closes all with 1001 over the time, those that open meanwhile and afterwards too", async () => {
    const { sockets, codes, open } = create(100);
    const drained = sockets.drain(60, 60);
    open(100);
    expect(codes.length).toBeLessThan(50);
    expect(await drained).toBe(0);
    expect(codes).toEqual(Array.from({ length: 101 }, () => 1001));
    open(101);
    expect(codes).toHaveLength(101);
    await Promise.resolve();
    expect(codes).toHaveLength(102);
    expect(sockets.size).toBe(0);
  });

  test("waits for slow readers, and counts those that stay so", async () => {
    let left = 5;
    const { sockets, codes } = create(10, (index) => {
      if (index === 4) return 1;
      // Asked once in each tick.
      return index === 3 ? left-- : 0;
    });
    // Many more than five ticks, also where others load the machine.
    const drained = sockets.drain(0, 3000);
    expect(codes).toHaveLength(8);
    expect(await drained).toBe(1);
    expect([codes.length, left]).toEqual([10, -1]);
  });

  test("without time closes all at once", async () => {
    const { sockets, codes } = create(10, () => 1);
    const drained = sockets.drain(0, 0);
    expect(codes).toHaveLength(10);
    expect(await drained).toBe(10);
  });
});
