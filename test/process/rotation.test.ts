/** The access log of many requests, rotated five times a second; `bun run rotation` does it at length. */
import { expect, test } from "bun:test";
import { describeWith } from "../support/peers.ts";
import { rotate } from "../support/loads/rotation.ts";

describeWith(["wrk"], "the access log", () => {
  test("loses no line and tears none when it is rotated again and again", async () => {
    const { requests, errors, lines, torn, files } = await rotate(200_000, 200);
    expect({ requests, errors, torn, lines }).toEqual({
      requests: 200_000,
      errors: 0,
      torn: [],
      lines: 200_000,
    });
    expect(files).toBeGreaterThan(2);
  }, 120_000);
});
