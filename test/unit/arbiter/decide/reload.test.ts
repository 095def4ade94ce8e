/** HUP: a new configuration is tried, proven or taken back. */
import { describe, expect, test } from "bun:test";
import { nextDeadlineMs } from "../../../../src/arbiter/decide/plan.ts";
import { generation, signals, spawns, World } from "../../../support/arbiter-world.ts";

describe("HUP", () => {
  test("one worker is tried first; with it ready, the others follow and each old one goes with its successor's readiness", () => {
    const world = new World(generation(1, { workers: 3 })).ready(1, 2, 3).signal("hup");
    expect(world.reactions).toContainEqual({ do: "load config", generation: 2 });
    world.loaded(generation(2, { workers: 3 }));
    expect(spawns(world).slice(3)).toEqual(["age 4 slot 0 generation 2"]);
    world.ready(4);
    expect(spawns(world).slice(4)).toEqual([
      "age 5 slot 1 generation 2",
      "age 6 slot 2 generation 2",
    ]);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
    world.ready(6);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 3"]);
    world.ready(5);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 3", "SIGTERM 2"]);
  });

  test("a configuration that fails to load changes nothing", () => {
    const world = new World().ready(1, 2).signal("hup");
    world.event({ type: "config failed", message: "gunicorn.conf.ts:1:1: Unexpected }" });
    expect(world.lines.at(-1)).toBe(
      "Reload failed, the running workers stay: gunicorn.conf.ts:1:1: Unexpected }",
    );
    expect(spawns(world)).toHaveLength(2);
    expect(signals(world)).toEqual([]);
  });

  test.each([3, 4, 1])("a new worker that exits with %d takes the reload back", (code) => {
    const world = new World()
      .ready(1, 2)
      .signal("hup")
      .loaded(generation(2, { workers: 4 }));
    expect(world.state.fleet.target).toBe(4);
    world.exit(3, code);
    expect(world.state.fleet.wanted.number).toBe(1);
    expect(world.state.fleet.target).toBe(2);
    expect(world.reactions).toContainEqual({ do: "use", generation: 1 });
    expect(signals(world)).toEqual([]);
    world.exit(1, null, "SIGKILL");
    expect(spawns(world).at(-1)).toEndWith("slot 0 generation 1");
  });

  test("while a reload is on trial, a slot that loses its worker gets one of the old generation", () => {
    const world = new World().ready(1, 2).signal("hup").loaded(generation(2));
    world.exit(2, null, "SIGKILL");
    expect(spawns(world).slice(2)).toEqual([
      "age 3 slot 0 generation 2",
      "age 4 slot 1 generation 1",
    ]);
    world.ready(4).ready(3);
    expect(spawns(world).at(-1)).toBe("age 5 slot 1 generation 2");
  });

  describe("of a configuration with more workers", () => {
    const more = () => {
      const world = new World(generation(1, { workers: 1 })).ready(1).signal("hup");
      return world.loaded(generation(2, { workers: 3 }));
    };

    test("the slots that it adds wait for the end of the trial", () => {
      const world = more().pass(500);
      expect(spawns(world).slice(1)).toEqual(["age 2 slot 0 generation 2"]);
      world.ready(2);
      expect(spawns(world).slice(2)).toEqual([
        "age 3 slot 1 generation 2",
        "age 4 slot 2 generation 2",
      ]);
      world.ready(3, 4).exit(1);
      expect(world.serving()).toEqual([[2], [3], [4]]);
      expect(signals(world)).toEqual(["SIGTERM 1"]);
    });

    test("they close, never used, when it is taken back", () => {
      const world = more().exit(2, 3).pass(500);
      expect(spawns(world)).toHaveLength(2);
      expect(world.state.fleet.slots).toHaveLength(1);
      expect(world.serving()).toEqual([[1]]);
    });

    test("TTIN fills all at once", () => {
      expect(spawns(more().signal("ttin")).slice(2)).toEqual([
        "age 3 slot 1 generation 1",
        "age 4 slot 2 generation 1",
        "age 5 slot 3 generation 1",
      ]);
    });

    test("where connections can't be steered, none waits", () => {
      const world = new World(generation(1, { workers: 1 })).ready(1).signal("ttin").ready(2);
      world.signal("ttou").pass(100).exit(2).pass(100);
      world
        .event({ type: "steered", count: 1, handshakes: false, refused: new Error("ENOSYS") })
        .signal("hup");
      world.loaded(generation(2, { workers: 2 }));
      expect(spawns(world).slice(2)).toEqual([
        "age 3 slot 0 generation 2",
        "age 4 slot 1 generation 1",
      ]);
    });

    test("a slot that connections are steered to is filled at once", () => {
      const world = new World().ready(1, 2).signal("ttou").pass(250).signal("hup");
      world.loaded(generation(2, { workers: 2 })).exit(2);
      expect(world.state.sockets.steered?.count).toBe(2);
      expect(spawns(world).slice(2)).toEqual([
        "age 3 slot 0 generation 2",
        "age 4 slot 1 generation 1",
      ]);
    });
  });

  const uses = (world: World) =>
    world.reactions.filter(({ do: what }) => what === "use" || what === "discard");

  test("what was loaded is put to use before the hooks run", () => {
    const world = new World().ready(1, 2).signal("hup").loaded(generation(2));
    const names = world.reactions.map((each) => each.do);
    expect(names.slice(-3)).toEqual(["use", "hook nworkersChanged", "hook onReload"]);
    expect(uses(world)).toEqual([{ do: "use", generation: 2 }]);
  });

  test.each(["term", "int", "quit"] as const)(
    "%s during a load ends the load, and what it gives in spite of that is discarded",
    (signal) => {
      const world = new World().ready(1, 2).signal("hup").signal(signal);
      expect(uses(world)).toEqual([{ do: "discard" }]);
      world.loaded(generation(2));
      expect(uses(world)).toEqual([{ do: "discard" }, { do: "discard" }]);
      expect(world.state.fleet.wanted.number).toBe(1);
    },
  );

  test("a load that a stop has ended is no reload that failed", () => {
    const world = new World().ready(1, 2).signal("hup").signal("term");
    const said = world.reactions.length;
    world.event({ type: "config failed", message: "The operation was aborted." });
    expect(world.reactions.slice(said)).toEqual([]);
  });

  test("a HUP during a load starts another load after it", () => {
    const world = new World().ready(1, 2).signal("hup").signal("hup").loaded(generation(2));
    const loads = world.reactions.filter((each) => each.do === "load config");
    expect(loads).toEqual([
      { do: "load config", generation: 2 },
      { do: "load config", generation: 3 },
    ]);
  });

  test("a HUP before the last one has proven itself ends the worker on trial", () => {
    const world = new World().ready(1, 2).signal("hup").loaded(generation(2)).signal("hup");
    world.loaded(generation(3));
    // Not QUIT: it may have accepted connections, with its word that it is ready on the way.
    expect(signals(world)).toEqual(["SIGTERM 3"]);
    // Slot 0 has two workers until the one on trial has gone: the next trial is in slot 1.
    expect(spawns(world).at(-1)).toBe("age 4 slot 1 generation 3");
    expect(world.state.fleet.fallback?.generation.number).toBe(1);
  });

  test("sockets of addresses left out close once the new generation has proven itself", () => {
    const world = new World().ready(1, 2).signal("hup").loaded(generation(2), true);
    const done = () => world.actions.map((each) => each.do);
    world.actions.length = 0;
    world.ready(3);
    // Handshakes that have begun come to their end before the old workers are told to leave.
    expect(done()).toEqual(["refuse at unused listeners"]);
    expect(nextDeadlineMs(world.state, world.nowMs)).toBe(world.nowMs + 100);
    world.pass(100);
    expect(done()).toEqual([
      "refuse at unused listeners",
      "close unused listeners",
      "signal",
      "spawn",
    ]);
  });
});

describe("sockets of addresses left out refuse new connections before their workers leave", () => {
  /** Generation 2 leaves an address out, and its worker (age 3) is on trial. */
  const dropped = () => new World().ready(1, 2).signal("hup").loaded(generation(2), true);
  const failed = { type: "config failed", message: "on purpose" } as const;

  test.each<[when: string, world: () => World]>([
    ["while nothing is loaded", () => dropped().ready(3)],
    ["while another load is under way", () => dropped().signal("hup").ready(3)],
    ["when another load has failed", () => dropped().signal("hup").event(failed).ready(3)],
    [
      "when a load ends while they settle",
      () => dropped().signal("hup").ready(3).loaded(generation(3)),
    ],
    [
      "when a load that moves again ends while they settle",
      () => dropped().signal("hup").ready(3).loaded(generation(3), true),
    ],
    [
      "when a master that goes waits for connections at slots of its own",
      () => {
        const world = new World().ready(1, 2).event({ type: "upgrade started", pid: 99 });
        world
          .signal("ttin")
          .ready(3)
          .signal("hup")
          .loaded(generation(2, { workers: 3 }), true);
        world.signal("winch").actions.length = 0;
        return world
          .ready(4)
          .signal("hup")
          .loaded(generation(3, { workers: 3 }));
      },
    ],
    ["when a trial is taken back", () => dropped().exit(3, 3)],
    ["when a trial is taken back during a load", () => dropped().signal("hup").exit(3, 3)],
  ])("%s", (_when, make) => {
    const world = make();
    const done = () =>
      world.actions.flatMap((each) => (each.do === "spawn" ? [] : [each.do])).join(", ");
    expect(done()).toBe("refuse at unused listeners");
    world.pass(99);
    expect(done()).toBe("refuse at unused listeners");
    world.pass(1);
    expect(done()).toStartWith("refuse at unused listeners, close unused listeners");
  });

  test("before any worker was ready too: nothing is left to go back to", () => {
    const world = new World().signal("hup").loaded(generation(2), true);
    expect(world.actions.slice(2)).toEqual([{ do: "refuse at unused listeners" }]);
    world.pass(100);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 2"]);
  });

  test("while the generation that needs them may come back, they take connections", () => {
    const world = dropped().signal("hup").loaded(generation(3));
    expect(world.actions.map((each) => each.do)).not.toContain("refuse at unused listeners");
    world.ready(4);
    expect(world.actions.at(-1)).toEqual({ do: "refuse at unused listeners" });
  });
});

test("after WINCH a reload that fails brings the workers of before back", () => {
  const world = new World().ready(1, 2).signal("winch").exit(1).exit(2).signal("hup");
  world.event({ type: "config failed", message: "no" });
  expect(spawns(world)).toHaveLength(4);
  expect(world.lines.at(-1)).toBe(
    "Reload failed, the workers of the last configuration come back: no",
  );
});
