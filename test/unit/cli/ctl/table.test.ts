import { describe, expect, test } from "bun:test";
import { showBytes, showSeconds, table } from "../../../../src/cli/ctl/table.ts";

describe("table()", () => {
  test("sets numbers to the right, and texts to the left", () => {
    const rows = [
      ["1", "ready", "9 MiB"],
      ["12", "booting", "-"],
    ];
    expect(table(["PID", "STATE", "MEMORY"], rows)).toBe(
      ["PID  STATE    MEMORY", "  1  ready     9 MiB", " 12  booting       -", ""].join("\n"),
    );
  });

  test("has its heads without a row", () => {
    expect(table(["PID", "STATE"], [])).toBe("PID  STATE\n");
  });
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [55_349_248, "53 MiB"],
  [3 * 1024 ** 3, "3.0 GiB"],
  [null, "-"],
])("showBytes(%p) is %s", (value, shown) => {
  expect(showBytes(value)).toBe(shown);
});

test.each([
  [0.4, "0s"],
  [59.9, "59s"],
  [60, "1m 0s"],
  [3725, "1h 2m 5s"],
  [3600, "1h 0m 0s"],
  [null, "-"],
])("showSeconds(%p) is %s", (value, shown) => {
  expect(showSeconds(value)).toBe(shown);
});
