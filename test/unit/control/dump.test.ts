import { expect, test } from "bun:test";
import {
  dumpSocket,
  encodeDumpHead,
  isDumpToken,
  readDumpHead,
} from "../../../src/control/dump.ts";

const token = "0123456789abcdef".repeat(2);

test.each([{ bytes: 0 }, { bytes: 2 ** 40 }, { error: "Not\nnow" }])(
  "a head of %j comes in any pieces, and nothing behind it is taken",
  (head) => {
    const line = encodeDumpHead(head);
    for (let cut = 0; cut < line.length; cut += 1)
      expect(readDumpHead(line.subarray(0, cut))).toBeNull();
    const whole = Buffer.concat([line, Buffer.from("{}\n")]);
    expect(readDumpHead(whole)).toEqual({ head, rest: Buffer.from("{}\n") });
  },
);

test.each(["\n", "{}\n", "[]\n", "null\n", '{"bytes":1.5}\n', "x".repeat(4096)])(
  "what is none says so: %j",
  (text) => {
    expect(readDumpHead(Buffer.from(text))?.head).toEqual({ error: "It has another version" });
  },
);

test("the socket's name doesn't tell the token", () => {
  expect(isDumpToken(token)).toBe(true);
  expect(isDumpToken(`${token}0`)).toBe(false);
  expect(isDumpToken(token.toUpperCase())).toBe(false);
  expect(dumpSocket(token)).toStartWith("\0gunicorn-ts-dump-");
  expect(dumpSocket(token)).not.toContain(token.slice(0, 8));
});
