import { describe, expect, test } from "bun:test";
import { currentDate, httpDate, refreshDate } from "../../../../../src/http/response/head/date.ts";

describe("httpDate()", () => {
  test.each([
    [784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"],
    [784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"],
    [784_111_778_000, "Sun, 06 Nov 1994 08:49:38 GMT"],
  ])("%d", (now, expected) => {
    expect(httpDate(now)).toBe(expected);
    refreshDate(now);
    expect(currentDate()).toBe(expected);
  });
});
