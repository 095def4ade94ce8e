import { describe, expect, test } from "bun:test";
import { nextSort, renderTop, type Sample, type Sort } from "../../../../src/cli/ctl/top.ts";

const stats = {
  state: "ready",
  draining: false,
  uptime: 61,
  workers_ready: 2,
  workers_target: 2,
  generation: 1,
  in_flight: 3,
  connections: 9,
  memory_bytes: 3 * 1024 ** 2,
};

function worker(slot: number, requests: number, memory: number) {
  return {
    slot,
    age: slot + 1,
    pid: 100 + slot,
    state: "ready",
    tired: false,
    requests,
    in_flight: slot,
    connections: 4,
    memory_bytes: memory * 1024 ** 2,
    serving: 60,
  };
}

const before: Sample = { atMs: 0, stats, workers: [worker(0, 10, 1), worker(1, 10, 2)] };
const now: Sample = { atMs: 2000, stats, workers: [worker(0, 50, 1), worker(1, 20, 2)] };
const wide = { columns: 200, rows: 50 };

describe("renderTop()", () => {
  test("shows rates from one look to the next", () => {
    expect(renderTop(now, before, { ...wide, sort: "slot" })).toEqual([
      "ready, up 1m 1s, 2 of 2 workers ready, generation 1",
      "25.0 requests/s, 3 in flight, 9 connections, 3.0 MiB",
      "",
      "SLOT  PID  STATE  REQ/S  BUSY  CONNS   MEMORY  SERVING",
      "   0  100  ready   20.0     0      4  1.0 MiB  1m 0s",
      "   1  101  ready    5.0     1      4  2.0 MiB  1m 0s",
    ]);
  });

  test("knows no rate at the first look, and counts a new worker from 0", () => {
    expect(renderTop(now, null, { ...wide, sort: "slot" })[1]).toStartWith("0.0 requests/s");
    const alone = { ...before, workers: [worker(0, 10, 1)] };
    expect(renderTop(now, alone, { ...wide, sort: "slot" })[1]).toStartWith("30.0 requests/s");
  });

  const orders: [sort: Sort, pids: string[]][] = [
    ["slot", ["100", "101"]],
    ["rate", ["100", "101"]],
    ["in_flight", ["101", "100"]],
    ["memory_bytes", ["101", "100"]],
    ["connections", ["100", "101"]],
  ];
  test.each(orders)("sorts by %s", (sort, pids) => {
    const lines = renderTop(now, before, { ...wide, sort }).slice(4);
    expect(lines.map((line) => line.trim().split(/ +/)[1] as string)).toEqual(pids);
  });

  test("fits the terminal, and says what is left out", () => {
    const lines = renderTop(now, before, { columns: 20, rows: 5, sort: "slot" });
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toBe("... 2 more");
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(20);
  });
});

test("nextSort() goes round", () => {
  let sort: Sort = "slot";
  const seen = Array.from({ length: 5 }, () => (sort = nextSort(sort)));
  expect(seen).toEqual(["rate", "in_flight", "connections", "memory_bytes", "slot"]);
});
