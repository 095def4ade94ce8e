import { describe, expect, test } from "bun:test";
import type { RequestRecord } from "../../../../src/api/request-record.ts";
import { createRow } from "../../../../src/ipc/scoreboard.ts";
import { durationSumUs } from "../../../../src/ipc/scoreboard-columns.ts";
import { Tally } from "../../../../src/worker/records/tally.ts";

function tallied(...requests: readonly (readonly [status: number, durationUs: number])[]) {
  const row = createRow();
  const tally = new Tally(row);
  for (const [status, durationUs] of requests)
    tally.answered({ status, durationUs } as RequestRecord);
  return row;
}

describe("the class of an answer", () => {
  const rows: readonly (readonly [status: number, cell: number])[] = [
    [101, 1],
    [200, 2],
    [299, 2],
    [304, 3],
    [404, 4],
    [498, 4],
    [499, 0],
    [500, 5],
    [599, 5],
    [999, 5],
  ];
  test.each(rows)("of %d is counted in cell %d", (status, cell) => {
    const expected = [0, 0, 0, 0, 0, 0];
    expected[cell] = 1;
    expect([...tallied([status, 0]).answers]).toEqual(expected);
  });
});

describe("a duration", () => {
  const rows: readonly (readonly [durationUs: number, cell: number])[] = [
    [0, 0],
    [100, 0],
    [101, 1],
    [250, 1],
    [1000, 3],
    [1001, 4],
    [60_000_000, 17],
    [60_000_001, 18],
    [1e12, 18],
  ];
  test.each(rows)("of %d us is counted in cell %d, and only there", (durationUs, cell) => {
    const { durations } = tallied([200, durationUs]);
    const counts = [...durations.subarray(0, durationSumUs)];
    expect(
      counts.map((count, index) => (count === 0 ? null : index)).filter((at) => at !== null),
    ).toEqual([cell]);
    expect(durations[durationSumUs]).toBe(durationUs);
  });

  test("is added to the sum of all", () => {
    expect(tallied([200, 30], [500, 12]).durations[durationSumUs]).toBe(42);
  });
});
