import { describe, expect, test } from "bun:test";
import type { Generation } from "../../../../src/arbiter/decide/state.ts";
import { mayAutoscale } from "../../../../src/arbiter/decide/update/autoscale.ts";
import { generation, World } from "../../../support/arbiter-world.ts";

const autoscale = { min: 2, max: 4, upAfterMs: 10_000, downAfterMs: 120_000 };
const scaled = (number: number, change: Partial<Generation> = {}) =>
  generation(number, { autoscale, ...change });

/** Two workers that serve, of two to four. */
const ready = () => new World(scaled(1)).ready(1, 2);
const step = (world: World, workers: number) =>
  world.event({ type: "autoscale", workers, because: "so" });
const target = (world: World) => world.state.fleet.target;

describe("a step of autoscale", () => {
  test("opens a slot, and says why", () => {
    const world = step(ready(), 3).ready(3).pass(500);
    expect(world.serving()).toEqual([[1], [2], [3]]);
    expect(world.lines).toContain("Autoscale: 2 -> 3 workers: so");
    expect(world.reactions).toContainEqual({ do: "hook nworkersChanged", value: 3, old: 2 });
    expect(world.state.fleet.autoscaling).toEqual({ paused: false, up: 1, down: 0 });
    expect(mayAutoscale(world.state)).toBe(true);
  });

  test("retires one, and the next comes when it has gone", () => {
    const world = step(ready(), 3).ready(3).pass(500);
    step(world, 2);
    expect(mayAutoscale(world.state)).toBe(false);
    world.pass(500).exit(3).pass(500);
    expect(world.serving()).toEqual([[1], [2]]);
    expect(world.state.fleet.autoscaling).toEqual({ paused: false, up: 1, down: 1 });
    expect(mayAutoscale(world.state)).toBe(true);
  });

  const never: [when: string, world: () => World][] = [
    ["without autoscale", () => new World().ready(1, 2)],
    ["while the server starts", () => new World(scaled(1)).ready(1)],
    ["while a worker is missing", () => ready().exit(2, 1)],
    ["while a configuration is read", () => ready().signal("hup")],
    ["while a reload is on trial", () => ready().signal("hup").loaded(scaled(2))],
    ["while a reload replaces workers", () => ready().signal("hup").loaded(scaled(2)).ready(3)],
    ["while the step before comes", () => step(ready(), 3)],
    ["in a drain", () => ready().event({ type: "command", command: { do: "drain" } })],
    ["in a rest", () => ready().signal("winch")],
    ["in an upgrade", () => ready().event({ type: "upgrade started", pid: 77 })],
    ["of a new master", () => new World(scaled(1), { understudy: true, slots: 2 }).ready(1, 2)],
    ["in a stop", () => ready().signal("term")],
    ["in a quick stop", () => ready().signal("quit")],
    ["after TTIN", () => ready().signal("ttin").ready(3).pass(500)],
    ["after TTOU", () => ready().signal("ttou").pass(500).exit(2).pass(500)],
    [
      "after ctl scale",
      () => ready().event({ type: "command", command: { do: "scale", workers: 2 } }),
    ],
  ];
  test.each(never)("is never made %s", (_when, world) => {
    const before = world();
    const [had, lines] = [target(before), before.lines.length];
    expect(mayAutoscale(before.state)).toBe(false);
    expect(target(step(before, 4))).toBe(had);
    expect(before.lines).toHaveLength(lines);
  });

  test.each([1, 5, 2])("is never made to %p, which is outside, or no step", (workers) => {
    const world = step(ready(), workers);
    expect([target(world), world.lines]).toEqual([2, []]);
  });
});

describe("an operator", () => {
  test("pauses it with a number of their own, which may be outside, until the next reload", () => {
    const world = ready().signal("ttin").signal("ttin").signal("ttin").ready(3, 4, 5).pass(500);
    expect(target(world)).toBe(5);
    const paused = world.lines.filter((line) => line.startsWith("Autoscale: paused"));
    expect(paused).toHaveLength(1);
    world.signal("hup").event({ type: "config failed", message: "no" });
    expect(world.state.fleet.autoscaling.paused).toBe(true);
    world.signal("hup").loaded(scaled(3));
    expect(world.state.fleet.autoscaling.paused).toBe(false);
    expect(target(world)).toBe(4);
  });

  test("hears nothing of it without autoscale", () => {
    expect(new World().ready(1, 2).signal("ttin").lines).toEqual(["Handling signal: ttin"]);
  });
});

test.each([
  [null, 2],
  [3, 3],
  [9, 4],
  [1, 2],
])(
  "the new master of an upgrade that is told of %p workers begins with %p",
  (autoscaled, begun) => {
    expect(target(new World(scaled(1), { understudy: true, autoscaled }))).toBe(begun);
    expect(target(new World(generation(1), { understudy: true, autoscaled }))).toBe(2);
  },
);

describe("a reload", () => {
  const rows: [what: string, next: Partial<Generation>, target: number][] = [
    ["goes on with as many as the load has asked for", {}, 4],
    ["keeps to new bounds above", { autoscale: { ...autoscale, max: 3 } }, 3],
    ["and below", { autoscale: { ...autoscale, min: 6, max: 8 } }, 6],
    ["with another number of workers begins with that", { workers: 3 }, 3],
    [
      "that changes the bounds alone goes on, though workers is the least of them",
      { autoscale: { ...autoscale, min: 3, max: 8 }, workers: 3 },
      4,
    ],
    ["that ends autoscale goes by workers", { autoscale: null }, 2],
  ];
  test.each(rows)("%s", (_what, next, expected) => {
    const world = step(ready(), 3).ready(3).pass(500);
    step(world, 4).ready(4).pass(500);
    expect(target(world)).toBe(4);
    world.signal("hup").loaded(scaled(2, next));
    expect(target(world)).toBe(expected);
    const value = { do: "hook nworkersChanged", value: expected, old: 4 };
    expect(world.reactions).toContainEqual(value as never);
  });

  test("that brings autoscale begins with workers", () => {
    const world = new World().ready(1, 2).signal("ttin").ready(3).pass(500).signal("hup");
    expect(target(world.loaded(scaled(2)))).toBe(2);
  });

  test("that is taken back leaves as many as there were", () => {
    const world = step(ready(), 3).ready(3).pass(500).signal("hup");
    world.loaded(scaled(2, { workers: 4 })).exit(4, 3);
    expect(target(world)).toBe(3);
  });

  test("that is taken back leaves what was set by hand", () => {
    const world = ready().signal("ttin").ready(3).pass(500).signal("hup");
    world.loaded(scaled(2)).exit(4, 3);
    const { target: workers, autoscaling } = world.state.fleet;
    expect([workers, autoscaling.paused]).toEqual([3, true]);
  });
});
