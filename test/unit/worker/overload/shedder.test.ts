/** shed_latency_ms in a time of the test's own: what is refused, what isn't, and how well the worker fares by it. */
import { describe, expect, test } from "bun:test";
import type { Metric } from "../../../../src/api/log.ts";
import { createRow } from "../../../../src/ipc/scoreboard.ts";
import { Shedder } from "../../../../src/worker/overload/shedder.ts";
import { type ModelOptions, simulate } from "../../../support/overload-model.ts";

const begins =
  "Overload: requests wait for more than shed_latency_ms (50 ms), the newest are answered with 503";

/** Three times as much as it can do, for 20 s. The app can answer so many requests a second. */
const overloads: readonly (readonly [
  app: string,
  options: Pick<ModelOptions, "computeMs" | "waitMs" | "perSecond">,
  best: number,
])[] = [
  ["computes for 5 ms", { computeMs: 5, perSecond: 600 }, 200],
  ["computes for 30 ms", { computeMs: 30, perSecond: 100 }, 33.3],
  ["waits for a turn, then computes", { computeMs: 5, waitMs: 0, perSecond: 600 }, 200],
  ["waits for 20 ms, then computes", { computeMs: 5, waitMs: 20, perSecond: 600 }, 200],
  ["waits for 100 ms, then computes", { computeMs: 5, waitMs: 100, perSecond: 600 }, 200],
];

describe.each(overloads)("an app that %s", (_app, options, best) => {
  const { waitMs = 0 } = options;
  const load = { ...options, targetMs: 50, seconds: 20, fromSecond: 3 };

  test("does nine tenths of its best with three times the load, and does it in time", () => {
    const { goodPerSecond, p99Ms, refused, lines } = simulate(load);
    expect(goodPerSecond).toBeGreaterThan(best * 0.9);
    expect(p99Ms).toBeLessThan((waitMs ?? 0) + 200);
    expect(refused).toBeGreaterThan(best * 1.5 * 17);
    expect(lines).toEqual([begins]);
  });

  test("does next to nothing in time without", () => {
    const { goodPerSecond, refused } = simulate({ ...load, targetMs: 0 });
    expect(goodPerSecond).toBeLessThan(best * 0.1);
    expect(refused).toBe(0);
  });
});

const calm: readonly (readonly [claim: string, options: Omit<ModelOptions, "targetMs">])[] = [
  ["requests only wait", { perSecond: 600, seconds: 10, computeMs: 0, waitMs: 2000 }],
  ["half of the time is left", { perSecond: 100, seconds: 10, computeMs: 5 }],
  [
    "the garbage collector takes 50 ms now and then",
    {
      perSecond: 100,
      seconds: 10,
      computeMs: 2,
      pauses: Array.from({ length: 20 }, (_, at) => [at * 400, 51] as const),
    },
  ],
  [
    "something takes two seconds, once",
    { perSecond: 100, seconds: 10, computeMs: 1, pauses: [[3000, 2000]] },
  ],
  [
    "80 come at once, now and then",
    {
      perSecond: 10,
      seconds: 10,
      computeMs: 5,
      bursts: [
        [2000, 80],
        [5000, 80],
      ],
    },
  ],
];

test.each(calm)("nothing is refused when %s", (_claim, options) => {
  const { refused, lines } = simulate({ ...options, targetMs: 50 });
  expect(refused).toBe(0);
  expect(lines).toEqual([]);
});

/** One turn after another, each with one request that takes `tookMs`, and one that comes behind it. */
function overloaded(exempt: readonly string[] = []) {
  let nowMs = 0;
  let ends: (() => void)[] = [];
  const lines: string[] = [];
  const log = {
    debug: () => {},
    info: (text: string, metric?: Metric) =>
      void lines.push(
        metric === undefined ? text : `${metric.metric} ${metric.value} ${metric.mtype}`,
      ),
    warning: (text: string) => void lines.push(text),
    error: () => {},
    exception: () => {},
    critical: () => {},
  };
  const scores = createRow();
  let watch: (() => void) | null = null;
  const clock = {
    nowMs: () => nowMs,
    atEnd: (call: () => void) => void ends.push(call),
    eachSecond: (call: () => void) => {
      watch = call;
      return () => void (watch = null);
    },
  };
  const pass = (seconds: number) => {
    for (let count = 0; count < seconds; count += 1) {
      nowMs += 1000;
      watch?.();
    }
    return watch === null;
  };
  const config = { shedLatencyMs: 50, shedExempt: exempt };
  const shedder = new Shedder({ config, log, scores, clock });
  const ask = (target: string) => {
    const refused = shedder.refuses({ method: "GET", target }, nowMs);
    if (!refused) shedder.finished();
    return refused;
  };
  const turn = (target: string): readonly boolean[] => {
    const first = ask(target);
    nowMs += 200;
    const second = ask(target);
    const ended = ends;
    ends = [];
    for (const end of ended) end();
    return [first, second];
  };
  for (let turns = 0; turns < 5; turns += 1) turn("/");
  return { turn, pass, lines, scores };
}

describe("in an overload", () => {
  test("the first request of each turn is taken on, and the newest are refused", () => {
    const { turn, scores } = overloaded();
    const before = scores.sheds;
    expect([turn("/"), turn("/a")]).toEqual([
      [false, true],
      [false, true],
    ]);
    expect(scores.sheds).toBe(before + 2);
  });

  test("it is told once", () => {
    const { turn, lines } = overloaded();
    for (let turns = 0; turns < 5; turns += 1) turn("/");
    expect(lines).toEqual([begins]);
  });

  test("statsD is told each second, and its end is told when nothing was late for two", () => {
    const { turn, pass, lines, scores } = overloaded();
    turn("/");
    const { sheds } = scores;
    lines.length = 0;
    expect(pass(1)).toBe(false);
    expect(lines).toEqual([`gunicorn.requests.shed ${sheds} counter`]);
    turn("/");
    expect(pass(2)).toBe(true);
    expect(lines.slice(1)).toEqual([
      "gunicorn.requests.shed 1 counter",
      expect.stringMatching(
        new RegExp(`^Overload is over: ${sheds + 1} requests were refused in \\d+\\.\\d s$`),
      ),
    ]);
    // Then the next one has to last again.
    expect(turn("/")).toEqual([false, false]);
  });

  test.each([
    ["/health", false],
    ["/health?deep", false],
    ["http://example.com/health", false],
    ["/healthy", true],
    ["/health/", true],
    ["/", true],
  ])("with /health exempt, %s is refused: %p", (target, refused) => {
    expect(overloaded(["/ready", "/health"]).turn(target)).toEqual([false, refused]);
  });
});
