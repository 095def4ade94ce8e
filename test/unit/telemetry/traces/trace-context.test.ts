import { describe, expect, test } from "bun:test";
import {
  isSampled,
  RequestTrace,
  readTraceparent,
  readTracestate,
} from "../../../../src/telemetry/traces/trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const valid = `${traceId}-${spanId}`;

describe("traceparent", () => {
  test.each([
    [`00-${valid}-01`, true],
    [`00-${valid}-00`, false],
    [`00-${valid}-03`, true],
    [`00-${valid}-fe`, false],
    [` 00-${valid}-01 `, true],
    [`01-${valid}-01`, true],
    [`cc-${valid}-01-what-the-future-will-be-like`, true],
  ])("%s is read, sampled: %p", (field, sampled) => {
    expect(readTraceparent(field)).toEqual({ traceId, spanId, sampled });
  });

  test.each([
    [null],
    [""],
    [`00-${valid}`],
    [`00-${valid}-1`],
    [`00-${valid}-01-more`],
    [`01-${valid}-01more`],
    [`ff-${valid}-01`],
    [`0-${valid}-01`],
    [`00-${valid.toUpperCase()}-01`],
    [`00-${"0".repeat(32)}-${spanId}-01`],
    [`00-${traceId}-${"0".repeat(16)}-01`],
    [`00-${traceId}x-${spanId}-01`],
    [`00-${valid}-01,00-${valid}-01`],
  ])("%p isn't valid", (field) => {
    expect(readTraceparent(field)).toBeNull();
  });
});

describe("tracestate", () => {
  test.each([
    ["a=b", "a=b"],
    ["rojo=00f067aa0ba902b7, congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
    ["fw529a3039@dt=FfffffXXXXX", "fw529a3039@dt=FfffffXXXXX"],
    ["a=b,,c=d", "a=b,c=d"],
    [Array.from({ length: 32 }, (_, at) => `k${at}=v`).join(), undefined],
  ])("%p is passed on", (field, passed = field) => {
    expect(readTracestate(field)).toBe(passed);
  });

  test.each([
    [null],
    [""],
    ["a"],
    ["A=b"],
    ["a=b=c"],
    ["a=b,a=c"],
    ["a=caf\u00e9"],
    [Array.from({ length: 33 }, (_, at) => `k${at}=v`).join()],
    [`a=${"x".repeat(300)}`],
    [["a", "b", "c"].map((key) => `${key}=${"x".repeat(200)}`).join()],
  ])("%p is dropped", (field) => {
    expect(readTracestate(field)).toBe("");
  });
});

const parent = { traceId, spanId, sampled: true };
const unsampled = { ...parent, sampled: false };
const low = { ...unsampled, traceId: `${"f".repeat(18)}00000000000001` };
const high = { ...parent, traceId: `${"0".repeat(18)}ffffffffffffff` };

test.each([
  [true, 0, high, 0, true],
  [true, 1, low, 0, false],
  [false, 0, high, 0, false],
  [false, 1, low, 0.99, true],
  [false, 0.5, low, 0.99, true],
  [false, 0.5, high, 0, false],
  [true, 0.5, null, 0.49, true],
  [true, 0.5, null, 0.5, false],
  [true, 0, null, 0, false],
  [true, 1, null, 0.99, true],
])(
  "parent based %p, ratio %d, %j, chance %d: sampled %p",
  (parentBased, ratio, from, drawn, sampled) => {
    expect(isSampled({ parentBased, ratio }, from, { share: () => drawn })).toBe(sampled);
  },
);

describe("RequestTrace", () => {
  const chance = (byte: string) => ({ hex: (bytes: number) => byte.repeat(bytes) });

  test("goes on with the client's trace", () => {
    const trace = new RequestTrace(unsampled, "a=b", false, chance("ab"));
    expect(trace.toJSON()).toEqual({
      traceId,
      spanId: "ab".repeat(8),
      parentId: spanId,
      sampled: false,
      traceparent: `00-${traceId}-${"ab".repeat(8)}-00`,
      tracestate: "a=b",
    });
  });

  test("begins one, whose ids are never zero, and has no tracestate then", () => {
    const trace = new RequestTrace(null, "a=b", true, chance("00"));
    expect(trace.toJSON()).toMatchObject({
      traceId: `${"0".repeat(31)}1`,
      spanId: `${"0".repeat(15)}1`,
      parentId: null,
      sampled: true,
      tracestate: "",
    });
  });

  test("keeps the ids that it has told", () => {
    const trace = new RequestTrace(null, null, true, {
      hex: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)).toHex(),
    });
    expect(trace.traceparent).toBe(`00-${trace.traceId}-${trace.spanId}-01`);
    expect(trace.toJSON()).toEqual(trace.toJSON());
  });
});
