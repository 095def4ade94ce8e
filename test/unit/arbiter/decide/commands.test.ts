import { describe, expect, test } from "bun:test";
import type { Command } from "../../../../src/arbiter/decide/events.ts";
import { generation, World } from "../../../support/arbiter-world.ts";

/** Two workers that serve. */
const ready = () => new World().ready(1, 2);
const order = (world: World, command: Command) => world.event({ type: "command", command });

describe("scale", () => {
  test("opens slots, and says so", () => {
    const world = order(ready(), { do: "scale", workers: 4 }).ready(3, 4).pass(500);
    expect(world.serving()).toEqual([[1], [2], [3], [4]]);
    expect(world.reactions).toContainEqual({ do: "hook nworkersChanged", value: 4, old: 2 });
  });

  test("retires the slots at the top", () => {
    const world = order(ready(), { do: "scale", workers: 1 }).pass(500).exit(2).pass(500);
    expect(world.serving()).toEqual([[1]]);
    expect(world.state.fleet.slots).toHaveLength(1);
  });

  test("ends a rest", () => {
    const world = ready().signal("winch").pass(250).exit(1).exit(2);
    order(world, { do: "scale", workers: 2 }).ready(3, 4);
    expect(world.serving()).toEqual([[3], [4]]);
  });

  test("is forgotten by a reload", () => {
    const world = order(ready(), { do: "scale", workers: 3 }).ready(3).signal("hup");
    expect(world.loaded(generation(2)).state.fleet.target).toBe(2);
  });

  test("is no wish of a server that stops", () => {
    const world = order(ready().signal("term"), { do: "scale", workers: 4 });
    expect(world.state.fleet.target).toBe(2);
  });
});

describe("dismiss", () => {
  const told = (world: World) =>
    world.actions
      .filter((action) => action.do === "signal")
      .map(({ age, signal }) => [age, signal]);

  test("tells the worker to leave, and gives its slot another one", () => {
    const world = order(ready(), { do: "dismiss", age: 2 });
    expect(told(world)).toEqual([[2, "SIGTERM"]]);
    expect(world.serving()).toEqual([[1], []]);
    world.ready(3).exit(2);
    expect(world.serving()).toEqual([[1], [3]]);
    expect(world.state.fleet.ended.told).toBe(1);
  });

  test("waits for a worker that doesn't take signals yet", () => {
    const world = new World();
    world.wakes = false;
    world.ready(1).event({ type: "command", command: { do: "scale", workers: 3 } });
    order(world, { do: "dismiss", age: 3 });
    expect(told(world)).toEqual([]);
    world.event({ type: "message", age: 3, message: "awake" });
    expect(told(world)).toEqual([[3, "SIGTERM"]]);
  });

  test("kills who doesn't leave in time", () => {
    const world = order(new World(generation(1, { gracefulTimeoutMs: 1000 })).ready(1, 2), {
      do: "dismiss",
      age: 2,
    });
    world.ready(3).pass(2500);
    expect(told(world)).toEqual([
      [2, "SIGTERM"],
      [2, "SIGKILL"],
    ]);
  });

  test("knows nobody who has gone", () => {
    expect(told(order(ready(), { do: "dismiss", age: 9 }))).toEqual([]);
  });
});

describe("replace", () => {
  test("keeps the worker until its successor is ready", () => {
    const world = order(ready(), { do: "replace", age: 2 });
    expect(world.serving()).toEqual([[1], [2]]);
    world.ready(3);
    expect(world.serving()).toEqual([[1], [3]]);
    expect(world.exit(2).state.fleet.ended.recycled).toBe(1);
  });
});

describe("drain", () => {
  const windDowns = (world: World) =>
    world.actions.filter((action) => action.do === "wind down").map(({ age }) => age);

  test("tells all workers, those that come later too, and nobody leaves", () => {
    const world = order(ready(), { do: "drain" });
    expect(windDowns(world)).toEqual([1, 2]);
    world.tired(2).ready(3).pass(500);
    expect(windDowns(world)).toEqual([1, 2, 3]);
    expect(world.serving()).toEqual([[1], [3]]);
  });

  test("is over with the next configuration", () => {
    const world = order(ready(), { do: "drain" }).signal("hup").loaded(generation(2)).ready(3, 4);
    expect(windDowns(world)).toEqual([1, 2]);
    expect(world.state.mastership.draining).toBe(false);
  });

  test("goes on when a reload has failed", () => {
    const world = order(ready(), { do: "drain" }).signal("hup");
    world.event({ type: "config failed", message: "no" });
    expect(world.state.mastership.draining).toBe(true);
  });
});

test("the level of the log is set", () => {
  const { reactions } = order(ready(), { do: "log level", level: "debug" });
  expect(reactions).toContainEqual({ do: "set log level", level: "debug" });
});
