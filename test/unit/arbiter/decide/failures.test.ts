/** What the system refuses never ends the master. */
import { describe, expect, test } from "bun:test";
import type { Action } from "../../../../src/arbiter/decide/events.ts";
import { nextDeadlineMs } from "../../../../src/arbiter/decide/plan.ts";
import { generation, World } from "../../../support/arbiter-world.ts";

/** Refuses all actions of a kind, until it is told otherwise. */
function refusing(world: World, kind: Action["do"], code = "EPERM"): void {
  world.refuses = (action) => (action.do === kind ? code : null);
}

function count(world: World, kind: Action["do"]): number {
  return world.actions.filter((action) => action.do === kind).length;
}

test("sockets that can't be opened: the number of workers stays, and the log says why", () => {
  const world = new World().ready(1, 2);
  refusing(world, "open slot", "EMFILE");
  world.signal("ttin");
  expect(world.state.fleet.target).toBe(2);
  expect(world.lines.at(-1)).toBe("Can't open the sockets of one more worker, 2 stay: EMFILE");
});

describe("a worker that can't be started", () => {
  test("is tried again, ever later, and told once until it succeeds", () => {
    const world = new World(generation(1, { workers: 1 })).ready(1);
    refusing(world, "spawn", "EAGAIN");
    world.exit(1, null, "SIGKILL");
    const told = () => world.lines.filter((line) => line === "Can't start a worker: EAGAIN");
    expect(count(world, "spawn")).toBe(2);
    expect(nextDeadlineMs(world.state, world.nowMs)).toBe(world.nowMs + 1000);
    world.pass(20_000);
    expect(count(world, "spawn")).toBeWithin(5, 10);
    expect(told()).toHaveLength(1);
    world.refuses = () => null;
    world.pass(30_000);
    expect(world.state.fleet.workers).toHaveLength(1);
    refusing(world, "spawn", "EAGAIN");
    world.exit(world.state.fleet.workers[0]?.age ?? 0, 1);
    world.pass(30_000);
    expect(told()).toHaveLength(2);
  });

  test("takes its age with it: the end of what was half started is nobody's", () => {
    const world = new World(generation(1, { workers: 1 })).ready(1);
    refusing(world, "spawn");
    world.exit(1, null, "SIGKILL");
    world.refuses = () => null;
    world.pass(1000).exit(2, null, "SIGKILL");
    expect(world.state.fleet.workers.map(({ age }) => age)).toEqual([3]);
  });

  test("takes a reload back that is on trial", () => {
    const world = new World().ready(1, 2).signal("hup");
    refusing(world, "spawn", "ENOMEM");
    world.loaded(generation(2, { workers: 3 }));
    expect(world.state.fleet.wanted.number).toBe(1);
    expect(world.state.fleet.target).toBe(2);
    expect(world.lines).toContain(
      "Reload failed, the running workers stay: Can't start a worker of the new configuration: ENOMEM",
    );
    expect(world.serving()).toEqual([[1], [2]]);
  });
});

describe("a stop ends", () => {
  const helps = ["refuse new connections", "close listeners", "steer", "wind down"] as const;
  test.each(helps)("although the system refuses: %s", (kind) => {
    const world = new World(generation(1, { drainDelayMs: 1000 })).ready(1, 2);
    refusing(world, kind);
    world.signal("term").pass(1250).exit(1).exit(2);
    expect(world.halted).toEqual({ do: "halt", exitCode: 0, reason: null, left: [] });
    const lines = world.lines.filter((line) => line.endsWith(": EPERM"));
    expect(lines).toHaveLength(kind === "steer" ? 0 : 1);
  });

  test("although workers take no signal: they are left behind, and named", () => {
    const world = new World(generation(1, { gracefulTimeoutMs: 1000 })).ready(1, 2);
    refusing(world, "signal");
    world.signal("term").pass(2250).exit(2);
    expect(world.lines).toContain("Can't send SIGKILL to pid 1001: EPERM");
    expect(world.halted).toBeNull();
    world.pass(5000);
    expect(world.halted).toEqual({ do: "halt", exitCode: 0, reason: null, left: [1001] });
  });
});

test("what KILL hasn't ended is killed again after 5 s, and told once", () => {
  const world = new World(generation(1, { timeoutMs: 1000 })).ready(1, 2);
  refusing(world, "signal");
  world.pass(13_000, [1]);
  const kills = world.actions.filter((each) => each.do === "signal" && each.signal === "SIGKILL");
  expect(kills.length).toBe(3);
  const told = world.lines.filter((line) => line === "Can't send SIGKILL to pid 1001: EPERM");
  expect(told).toHaveLength(1);
});

test.each(["refuse at unused listeners", "close unused listeners"] as const)(
  "a reload that drops an address comes to its end although the system refuses: %s",
  (kind) => {
    const world = new World().ready(1, 2).signal("hup");
    refusing(world, kind, "EROFS");
    world.loaded(generation(2), true).ready(3).pass(250).ready(4);
    expect(world.state.sockets.unused).toBe(false);
    expect(world.lines).toContain(`Can't ${kind}: EROFS`);
    expect(world.serving()).toEqual([[3], [4]]);
  },
);
