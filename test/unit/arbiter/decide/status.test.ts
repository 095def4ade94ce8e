import { describe, expect, test } from "bun:test";
import type { Ending } from "../../../../src/arbiter/decide/state.ts";
import { type Scores, status, type WorkerReading } from "../../../../src/arbiter/decide/status.ts";
import type { Doing } from "../../../../src/ipc/describe-doing.ts";
import { createRow, readRow } from "../../../../src/ipc/scoreboard.ts";
import { generation, World } from "../../../support/arbiter-world.ts";

const doing: Doing = {
  inFlight: 1,
  newest: { method: "GET", path: "/", open: true },
  newestMs: 250,
  activity: "waiting",
  waitsIn: null,
};

/** A row of the scoreboard with a number of requests. */
function reading(requests: number, memoryBytes: number | null = null): WorkerReading {
  const row = createRow();
  row.requests = requests;
  return { row: readRow(row), memoryBytes, doing };
}

const totals = { requests: 12 } as Scores["totals"];
const none: Scores = { workers: new Map(), totals };

describe("status()", () => {
  test("joins what is wanted, what lives, and what the scoreboard says", () => {
    const world = new World().ready(1);
    world.pass(1000);
    const workers = new Map([[1, reading(7, 1024)]]);
    const described = status(world.state, { workers, totals }, world.nowMs + 50);
    expect(described).toMatchObject({
      phase: "ready",
      target: 2,
      ready: 1,
      upMs: 2050,
      stopping: null,
      spawned: 2,
      totals: { requests: 12 },
    });
    expect(described.workers).toMatchObject([
      {
        age: 1,
        slot: 0,
        phase: "ready",
        servingMs: 1050,
        beatMs: 50,
        memoryBytes: 1024,
        doing,
        scores: { requests: 7, inFlight: 0 },
      },
      {
        age: 2,
        slot: 1,
        phase: "booting",
        servingMs: null,
        beatMs: null,
        doing: null,
        scores: null,
      },
    ]);
  });

  test("can be sent: it is data", () => {
    const described = status(new World().ready(1, 2).state, none, 2000);
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
  });

  test("says how the server stops", () => {
    const world = new World().ready(1, 2).signal("term");
    expect(status(world.state, none, 2000)).toMatchObject({
      phase: "stopping",
      stopping: "graceful",
    });
  });
});

describe("reloadFailed", () => {
  const second = generation(2);
  const unread = (world: World) => world.event({ type: "config failed", message: "wrong" });
  const rows: [claim: string, expected: boolean, course: (world: World) => World][] = [
    ["at the start", false, (world) => world],
    ["while the configuration is read", false, (world) => world.signal("hup")],
    ["on trial", false, (world) => world.signal("hup").loaded(second)],
    [
      "when it has been read, and the next HUP has come",
      false,
      (world) => world.signal("hup").signal("hup").loaded(second),
    ],
    ["when it can't be read", true, (world) => unread(world.signal("hup"))],
    ["while the next one is read", true, (world) => unread(world.signal("hup")).signal("hup")],
    [
      "when the next one is read",
      false,
      (world) => unread(world.signal("hup")).signal("hup").loaded(generation(3)),
    ],
    [
      "of a load that a stop has ended",
      false,
      (world) => world.signal("hup").signal("term").loaded(second),
    ],
  ];
  test.each(rows)("%s: %p", (_claim, expected, course) => {
    const { state, nowMs } = course(new World().ready(1, 2));
    const { reloadFailed, reloadFailure } = status(state, none, nowMs);
    expect(reloadFailed).toBe(expected);
    expect(reloadFailure).toBe(expected ? "wrong" : null);
  });

  test("of a trial: which worker", () => {
    const world = new World().ready(1, 2).signal("hup").loaded(second).exit(3, 3);
    const { reloadFailed, reloadFailure } = status(world.state, none, world.nowMs);
    expect(reloadFailed).toBe(true);
    expect(reloadFailure).toMatch(/^worker \(pid:\d+\) of the new configuration failed to boot$/);
  });
});

describe("what has ended", () => {
  const long = generation(1, { timeoutMs: 1000, gracefulTimeoutMs: 1000 });
  const rows: [claim: string, why: Ending, course: (world: World) => World][] = [
    ["before it was ready", "boot", (world) => world.exit(2, 1)],
    ["before it was ready, by a signal", "boot", (world) => world.exit(2, null, "SIGSEGV")],
    ["on its own account", "exit", (world) => world.ready(2).exit(2, 0)],
    ["by somebody's signal", "signal", (world) => world.ready(2).exit(2, null, "SIGKILL")],
    ["as a slot too many", "told", (world) => world.ready(2).signal("ttou").pass(250).exit(2, 0)],
    ["in a stop", "told", (world) => world.ready(2).signal("term").pass(250).exit(2, 0)],
    ["after max_requests", "recycled", (world) => world.ready(2).tired(2).ready(3).exit(2, 0)],
    [
      "after max_requests, before its successor",
      "recycled",
      (world) => world.ready(2).tired(2).exit(2),
    ],
    ["when it was hung", "timeout", (world) => world.ready(2).pass(1500, [2]).exit(2, 1)],
    [
      "when it was hung, by KILL",
      "timeout",
      (world) => world.ready(2).pass(3000, [2]).exit(2, null, "SIGKILL"),
    ],
    [
      "by KILL, as it didn't leave",
      "killed",
      (world) => world.ready(2).signal("ttou").pass(2750).exit(2, null, "SIGKILL"),
    ],
  ];
  test.each(rows)("%s", (_claim, why, course) => {
    const world = new World(long).ready(1);
    course(world);
    const { ended } = status(world.state, none, world.nowMs);
    const some = Object.entries(ended).filter(([, count]) => count > 0);
    expect(some).toEqual([[why, 1]]);
  });
});
