import { expect, test } from "bun:test";
import {
  describeDoing,
  describeLast,
  describeNewest,
  type Doing,
} from "../../../src/ipc/describe-doing.ts";

const open = { method: "GET", path: "/slow", open: true };
const answered = { method: "GET", path: "/slow", open: false };
const idle: Doing = {
  inFlight: 0,
  newest: null,
  newestMs: 30_249,
  activity: null,
  waitsIn: null,
};

const rows: [text: string, doing: Partial<Doing>][] = [
  ["no request in flight", {}],
  ["no request in flight, the last was GET /slow", { newest: answered }],
  ["1 request in flight: GET /slow for 30.2 s", { inFlight: 1, newest: open }],
  ["3 requests in flight: the newest GET /slow for 30.2 s", { inFlight: 3, newest: open }],
  ["2 requests in flight: older than GET /slow", { inFlight: 2, newest: answered }],
  [
    "computing, 1 request in flight: GET /slow for 30.2 s",
    { inFlight: 1, newest: open, activity: "computing" },
  ],
  ["stopped, no request in flight", { activity: "stopped" }],
  ["waiting (do_wait), no request in flight", { activity: "waiting", waitsIn: "do_wait" }],
  [
    String.raw`1 request in flight: G\x0aT /\x1b[2J\"\\\x0d\xe9 for 30.2 s`,
    { inFlight: 1, newest: { method: "G\nT", path: '/\x1b[2J"\\\r\xe9', open: true } },
  ],
];

test.each(rows)("%s", (text, doing) => {
  expect(describeDoing({ ...idle, ...doing })).toBe(text);
});

test("behind a number of requests", () => {
  expect(describeNewest({ ...idle, inFlight: 2, newest: open })).toBe(
    ": the newest GET /slow for 30.2 s",
  );
  expect(describeNewest({ ...idle, newest: open })).toBe("");
});

test("of the newest alone", () => {
  expect(describeLast({ newest: open, newestMs: 400 })).toBe("GET /slow for 0.4 s");
  expect(describeLast({ newest: answered, newestMs: 400 })).toBe("GET /slow");
  expect(describeLast({ newest: null, newestMs: 0 })).toBeNull();
});
