/** Renewed certificates reach the workers of their generation, or their successors; nobody else. */
import { describe, expect, test } from "bun:test";
import { generation, World } from "../../../support/arbiter-world.ts";

function sent(world: World): string[] {
  return world.actions.flatMap((each) =>
    each.do === "send credentials" ? [`edition ${each.edition} to ${each.age}`] : [],
  );
}

function done(world: World): string[] {
  return world.actions.flatMap((each) => {
    if (each.do === "spawn") return [`spawn ${each.age} in slot ${each.slot}`];
    return each.do === "signal" ? [`${each.signal} ${each.age}`] : [];
  });
}

function renewed(world: World, number = 1): World {
  return world.event({ type: "credentials renewed", generation: number });
}

describe("where workers take certificates while they serve", () => {
  test("each gets them once, and stays", () => {
    const world = renewed(new World().ready(1, 2));
    expect(sent(world)).toEqual(["edition 1 to 1", "edition 1 to 2"]);
    renewed(world.pass(1000));
    expect(sent(world)).toHaveLength(4);
    expect(done(world)).toEqual(["spawn 1 in slot 0", "spawn 2 in slot 1"]);
  });

  test("one that boots gets them as well; one that is spawned later is born with them", () => {
    const world = renewed(new World().ready(1));
    expect(sent(world)).toEqual(["edition 1 to 1", "edition 1 to 2"]);
    world.ready(2).exit(1, 1).ready(3);
    expect(sent(world)).toHaveLength(2);
    expect(world.worker(3).edition).toBe(1);
  });

  test("one that leaves doesn't", () => {
    const world = new World().ready(1, 2).event({ type: "message", age: 1, message: "draining" });
    expect(sent(renewed(world))).toEqual(["edition 1 to 2", "edition 1 to 3"]);
  });

  test("those of an earlier generation don't: they are about to go", () => {
    const world = new World().ready(1, 2).signal("hup").loaded(generation(2)).ready(3);
    expect(sent(renewed(world, 1))).toEqual([]);
    expect(sent(renewed(world, 2))).toEqual(["edition 1 to 3", "edition 1 to 4"]);
  });

  test("a generation that may be taken back is kept up to date", () => {
    const world = new World().ready(1, 2).signal("hup").loaded(generation(2));
    expect(sent(renewed(world, 1))).toEqual(["edition 1 to 1", "edition 1 to 2"]);
    world.exit(3, 3);
    expect(world.state.fleet.wanted).toMatchObject({ number: 1, edition: 1 });
    expect(sent(world)).toHaveLength(2);
  });

  test("a stop with drain_delay serves new connections with them", () => {
    const world = new World(generation(1, { drainDelayMs: 5000 })).ready(1, 2).signal("term");
    expect(sent(renewed(world))).toEqual(["edition 1 to 1", "edition 1 to 2"]);
  });

  test("one that can't be sent them is replaced", () => {
    const world = new World(generation(1, { workers: 1 })).ready(1);
    world.refuses = ({ do: what }) => (what === "send credentials" ? "ENOMEM" : null);
    renewed(world).ready(2);
    expect(done(world)).toEqual(["spawn 1 in slot 0", "spawn 2 in slot 0", "SIGTERM 1"]);
    expect(world.lines).toEqual([
      "Can't send renewed certificates to a worker, it is replaced: ENOMEM",
    ]);
  });
});

describe("where they don't", () => {
  const replaced = { takesCredentials: false, maxRestarting: 1 };

  test("each is replaced, one after the other if max_restarting_workers says so", () => {
    const world = renewed(new World(generation(1, replaced)).ready(1, 2));
    expect(sent(world)).toEqual([]);
    expect(done(world).slice(2)).toEqual(["spawn 3 in slot 0"]);
    world.ready(3).exit(1);
    expect(done(world).slice(3)).toEqual(["SIGTERM 1", "spawn 4 in slot 1"]);
    world.ready(4).exit(2).pass(5000);
    expect(world.serving()).toEqual([[3], [4]]);
    expect(done(world)).toHaveLength(6);
  });

  test("one that boots is replaced when it serves", () => {
    const world = renewed(new World(generation(1, { ...replaced, workers: 1 })));
    expect(done(world)).toEqual(["spawn 1 in slot 0"]);
    world.ready(1).ready(2).exit(1);
    expect(done(world).slice(1)).toEqual(["spawn 2 in slot 0", "SIGTERM 1"]);
    expect(world.worker(2).edition).toBe(1);
  });
});
