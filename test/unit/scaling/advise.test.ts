import { describe, expect, test } from "bun:test";
import { type Advice, advise } from "../../../src/scaling/advise.ts";
import type { Figures } from "../../../src/scaling/measure.ts";

interface Given extends Partial<Figures> {
  /** Of one CPU, by slot. */
  readonly used: readonly number[];
}

/** Four CPUs, of which nobody else uses any, and memory for many. */
function figures({ used, ...change }: Given): Figures {
  const busyCpus = used.reduce((all, share) => all + share, 0);
  return {
    seconds: 60,
    workers: used.length,
    cpus: 4,
    busyCpus,
    shares: used.map((share, slot) => ({ slot, share })),
    idleCpus: 4 - busyCpus,
    standstill: 0,
    longest: null,
    hanging: null,
    inFlight: 2 * busyCpus,
    connections: 10,
    backlog: 0,
    requestsPerSecond: 1000,
    workerBytes: 60 * 1024 ** 2,
    freeBytes: 4 * 1024 ** 3,
    bounds: { turns: null, connections: 1000 },
    ...change,
  };
}

const sync = { bounds: { turns: 1, connections: 1000 } };
const slow = { slot: 1, ms: 1200 };

const rows: [what: string, given: Given, limit: Advice["limit"], workers: number, why: string][] = [
  ["one busy core", { used: [0.97] }, "workers", 2, "use 97 % of a CPU each, 0.97 of 4"],
  [
    "one busy core, with connections that wait",
    { used: [0.97], backlog: 12.4 },
    "workers",
    2,
    "12 connections wait to be accepted; look again with 2",
  ],
  ["two busy cores of four", { used: [0.9, 0.9] }, "workers", 3, "1.8 of 4"],
  ["all cores busy", { used: [0.97, 0.97, 0.97, 0.97] }, "machine", 4, "use 3.9 of 4 CPUs"],
  [
    "more workers than CPUs, all busy",
    { used: [0.49, 0.49, 0.49, 0.49, 0.49, 0.49, 0.49, 0.49] },
    "machine",
    4,
    "would take turns",
  ],
  ["one CPU, busy", { used: [0.5, 0.45], cpus: 1, idleCpus: 0.05 }, "machine", 2, "0.95 of 1 CPUs"],
  [
    "a quota of one CPU and a half",
    { used: [0.75, 0.72], cpus: 1.5, idleCpus: 30 },
    "machine",
    2,
    "1.5 of 1.5 CPUs",
  ],
  ["one CPU, nearly busy", { used: [0.82], cpus: 1, idleCpus: 30 }, "machine", 1, "0.82 of 1 CPUs"],
  [
    "a worker for each CPU, nearly busy",
    { used: [0.82, 0.82, 0.82, 0.82] },
    "machine",
    4,
    "3.3 of",
  ],
  ["one worker less than CPUs", { used: [0.97, 0.97, 0.97] }, "workers", 4, "2.9 of 4"],
  [
    "CPUs that others use",
    { used: [0.5, 0.5], idleCpus: 0.02 },
    "machine",
    2,
    "other processes the rest",
  ],
  [
    "CPUs that others use, and little to do",
    { used: [0.2, 0.2, 0.2], idleCpus: 0.02 },
    "machine",
    2,
    "use 0.60 of 4 CPUs, and other processes the rest",
  ],
  [
    "CPUs that others use, and loops that are late for it",
    { used: [0.2, 0.2, 0.2], idleCpus: 0.02, standstill: 0.6 },
    "machine",
    3,
    "other processes the rest",
  ],
  ["a good load", { used: [0.6, 0.6] }, "none", 2, "use 60 % of a CPU each, 1.2 of 4"],
  ["a calm load for three", { used: [0.2, 0.2, 0.2] }, "none", 2, "use 20 % of a CPU each"],
  [
    "an app that waits",
    { used: [0.05, 0.05, 0.05, 0.05], inFlight: 120 },
    "app",
    2,
    "120 requests are in flight, and the workers use 5 % of a CPU each: the app waits for others",
  ],
  [
    "an app that waits, for more clients than fewer workers let in",
    { used: [0.05, 0.05, 0.05, 0.05], inFlight: 1900, connections: 1900 },
    "app",
    4,
    "1900 requests are in flight",
  ],
  [
    "an app that waits, with all connections taken",
    { used: [0.1, 0.1], inFlight: 1900, connections: 1950 },
    "connections",
    3,
    "1950 connections are open, and worker_connections lets 1000 in",
  ],
  ["no request", { used: [0, 0, 0], inFlight: 0, requestsPerSecond: 0 }, "no load", 2, "0 CPUs"],
  ["nothing to speak of", { used: [0.02, 0.01], inFlight: 0.1 }, "no load", 2, "0.03 CPUs"],
  [
    "sync workers that wait",
    { used: [0.1, 0.1], inFlight: 1.95, ...sync },
    "turns",
    3,
    "1.9 requests are with the app, which takes 2 at a time",
  ],
  [
    "sync workers that wait, and a machine that others use",
    { used: [0.1, 0.1], inFlight: 1.95, idleCpus: 0, ...sync },
    "turns",
    3,
    "takes 2 at a time",
  ],
  [
    "sync workers that wait now and then",
    { used: [0.1, 0.1, 0.1], inFlight: 1.4, ...sync },
    "app",
    3,
    "the app waits for others",
  ],
  [
    "sync workers that compute on all CPUs",
    { used: [0.97, 0.97, 0.97, 0.97], inFlight: 4, ...sync },
    "machine",
    4,
    "3.9 of 4 CPUs",
  ],
  [
    "threads, all taken",
    { used: [0.1], inFlight: 8, bounds: { turns: 8, connections: 1000 } },
    "turns",
    2,
    "8 at a time",
  ],
  [
    "an app that blocks its loop",
    { used: [0.1, 0.1], standstill: 0.9, inFlight: 2, longest: slow },
    "standstill",
    3,
    "stand still for 90 % of the time, and compute for 10 %",
  ],
  [
    "a loop that blocks now and then",
    { used: [0.6, 0.6], standstill: 0.4, longest: slow },
    "none",
    2,
    "slot 1 stood still for 1.2 s once, which more workers don't mend",
  ],
  [
    "a worker that hangs",
    { used: [0.95, 0.1], hanging: { slot: 0, ms: 7000 } },
    "hanging",
    2,
    "slot 0 has stood still for 7.0 s",
  ],
  [
    "one hot worker",
    { used: [0.05, 0.98, 0.04, 0.05] },
    "balance",
    4,
    "slot 1 uses 98 % of a CPU, and the others 5 % each",
  ],
  [
    "a busy core, without memory for another",
    { used: [0.97], freeBytes: 40 * 1024 ** 2 },
    "memory",
    1,
    "there is no memory for more: a worker has 60 MiB, 40 MiB are free",
  ],
  [
    "sync workers, with memory for one more",
    { used: [0.1, 0.1, 0.1, 0.1], inFlight: 4, freeBytes: 80 * 1024 ** 2, ...sync },
    "memory",
    5,
    "there is memory for no more",
  ],
  [
    "a system that says nothing of memory and idle CPUs",
    { used: [0.97], freeBytes: null, workerBytes: null, idleCpus: null },
    "workers",
    2,
    "97 %",
  ],
];

describe("advise()", () => {
  test.each(rows)("%s", (_what, given, limit, workers, why) => {
    const advice = advise(figures(given));
    expect(advice).toMatchObject({ limit, workers });
    expect(advice.because).toContain(why);
    expect(advice.certain).toBe(limit !== "no load" && limit !== "hanging");
  });

  test("one worker stays the least where there is one, or where one is asked for", () => {
    expect(advise(figures({ used: [0.1] })).workers).toBe(1);
    expect(advise(figures({ used: [0.1, 0.1, 0.1] }), 1).workers).toBe(1);
  });

  const shares = Array.from({ length: 96 }, (_, at) => 0.051 + at / 100);
  test("what it advises, it leaves as it is when the load stays", () => {
    for (const share of shares) {
      for (let workers = 1; workers <= 16; workers += 1) {
        const cpus = 16;
        const busyCpus = share * workers;
        const used = Array.from({ length: workers }, () => share);
        const { workers: advised } = advise(figures({ used, cpus, idleCpus: cpus - busyCpus }), 1);
        const then = Array.from({ length: advised }, () => busyCpus / advised);
        const again = advise(figures({ used: then, cpus, idleCpus: cpus - busyCpus }), 1);
        expect([share, workers, again.workers]).toEqual([share, workers, advised]);
      }
    }
  });
});
