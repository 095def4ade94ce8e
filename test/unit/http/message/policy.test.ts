import { expect, test } from "bun:test";
import { errors, reasonPhrase } from "../../../../src/http/errors.ts";
import {
  connectionClose,
  connectionKeepAlive,
  connectionUpgrade,
  isPersistent,
  readConnection,
} from "../../../../src/http/message/keep-alive.ts";
import { limitsFrom } from "../../../../src/http/limits.ts";
import {
  isForbiddenTrailer,
  judgeExpectation,
  judgeUnderscore,
} from "../../../../src/http/message/policy.ts";

test.each([
  ["none", 1, "none"],
  ["none", 0, "none"],
  ["continue", 1, "continue"],
  ["continue", 0, "none"],
  ["unknown", 1, "unknown expectation"],
  ["unknown", 0, "unknown expectation"],
] as const)("judgeExpectation(%s) on 1.%d is %s", (expectation, versionMinor, expected) => {
  expect(judgeExpectation(expectation, versionMinor)).toBe(expected);
});

test.each([
  ["X_Y", "drop", false, [], "drop"],
  ["X_Y", "refuse", false, [], "refuse"],
  ["X_Y", "dangerous", false, [], "keep"],
  ["X_Y", "drop", true, [], "drop"],
  ["X_Y", "drop", true, ["X_Y"], "keep"],
  ["x_y", "refuse", true, ["X_Y"], "keep"],
  ["X_Y", "drop", false, ["X_Y"], "drop"],
  ["X_Y", "refuse", true, ["*"], "keep"],
  ["X_Z", "refuse", true, ["X_Y"], "refuse"],
] as const)("judgeUnderscore(%s, %s, %p, %p) is %s", (name, map, trusted, headers, expected) => {
  expect(judgeUnderscore(name, map, trusted, headers)).toBe(expected);
});

test("isForbiddenTrailer() ignores case", () => {
  expect(isForbiddenTrailer("hOsT")).toBe(true);
  expect(isForbiddenTrailer("X-Sum")).toBe(false);
});

test.each([
  [1, 0, false, true],
  [1, connectionClose, false, false],
  [1, connectionClose | connectionKeepAlive, false, false],
  [0, 0, false, false],
  [0, connectionKeepAlive, false, true],
  [0, connectionClose | connectionKeepAlive, false, false],
  [1, 0, true, false],
  [0, connectionKeepAlive, true, false],
])("isPersistent() on 1.%d with options %d, server closes %p: %p", (minor, flags, closes, yes) => {
  expect(isPersistent(minor, flags, closes)).toBe(yes);
});

test.each([
  ["close", connectionClose],
  ["keep-alive", connectionKeepAlive],
  ["keep-alive, Upgrade", connectionKeepAlive | connectionUpgrade],
  [",, foo\t,close ", connectionClose],
  ["closed", 0],
  ["close x", 0],
  ["", 0],
])("readConnection(%p) is %d", (value, expected) => {
  const bytes = Buffer.from(value);
  expect(readConnection(bytes, 0, bytes.length)).toBe(expected);
});

test("limitsFrom() reads 0 as unlimited, and caps the fields as Gunicorn does", () => {
  expect(
    limitsFrom({ limitRequestLine: 0, limitRequestFields: 0, limitRequestFieldSize: 0 }),
  ).toEqual({ requestLine: Infinity, fields: 32768, fieldSize: Infinity });
  expect(
    limitsFrom({ limitRequestLine: 1, limitRequestFields: 40_000, limitRequestFieldSize: 3 }),
  ).toEqual({ requestLine: 1, fields: 32768, fieldSize: 3 });
});

test("errors carry the reason phrase of their status", () => {
  for (const { status, reason } of Object.values(errors)) expect(reason).toBe(reasonPhrase(status));
  expect(errors["unsupported transfer-encoding"].reason).toBe("Not Implemented");
  expect(reasonPhrase(414)).toBe("URI Too Long");
  expect(reasonPhrase(299)).toBe("");
});
