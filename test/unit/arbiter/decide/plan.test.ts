import { describe, expect, test } from "bun:test";
import { nextDeadlineMs } from "../../../../src/arbiter/decide/plan.ts";
import { backOffMs } from "../../../../src/arbiter/decide/update/reap.ts";
import { generation, World } from "../../../support/arbiter-world.ts";

function signals(world: World): string[] {
  return world.actions.flatMap((each) =>
    each.do === "signal" ? [`${each.signal} ${each.age}`] : [],
  );
}

function spawns(world: World): string[] {
  return world.actions.flatMap((each) =>
    each.do === "spawn" ? [`age ${each.age} slot ${each.slot} generation ${each.generation}`] : [],
  );
}

describe("start", () => {
  test("plan() spawns a worker into each slot at once", () => {
    const world = new World(generation(1, { workers: 3 }));
    expect(spawns(world)).toEqual([
      "age 1 slot 0 generation 1",
      "age 2 slot 1 generation 1",
      "age 3 slot 2 generation 1",
    ]);
  });

  test.each([
    [3, "Worker failed to boot."],
    [4, "App failed to load."],
  ])(
    "a first generation that exits with %d halts with it, also when all fail at once",
    (code, reason) => {
      const world = new World(generation(1, { workers: 3 }));
      world.exit(2, code).exit(1, code).exit(3, code);
      expect(world.halted).toEqual({ do: "halt", exitCode: code, reason, left: [] });
    },
  );

  test("a boot failure after another worker was ready is retried, with back-off", () => {
    const world = new World().ready(1).exit(2, 3);
    expect(world.halted).toBeNull();
    expect(spawns(world).at(-1)).toBe("age 3 slot 1 generation 1");
    world.exit(3, 3);
    expect(spawns(world)).toHaveLength(3);
    expect(world.lines.at(-1)).toBe(
      "Worker of slot 1 failed 2 times in a row, next start in 0.5 s",
    );
    world.pass(500);
    expect(spawns(world)).toHaveLength(4);
  });

  test.each([
    [1, 0],
    [2, 500],
    [3, 1000],
    [4, 2000],
    [20, 30_000],
  ])("after %d deaths in a row the next start waits %d ms", (failures, waitMs) => {
    expect(backOffMs(failures)).toBe(waitMs);
  });
});

describe("death", () => {
  test("plan() respawns at once into the slot that died", () => {
    const world = new World().ready(1, 2).exit(2, null, "SIGKILL");
    expect(spawns(world).at(-1)).toBe("age 3 slot 1 generation 1");
    expect(world.lines).toEqual(["Worker (pid:1002) was sent SIGKILL! Perhaps out of memory?"]);
  });

  test.each([
    [0, null, ["Worker (pid:1002) exited with code 0, unasked."]],
    [7, null, ["Worker (pid:1002) exited with code 7."]],
    [null, "SIGTERM", ["Worker (pid:1002) was sent SIGTERM!"]],
    [null, "SIGSEGV", ["Worker (pid:1002) was sent SIGSEGV!"]],
  ] as const)(
    "a worker that ends with code %p and signal %p is logged as %p",
    (code, signal, lines) => {
      expect(new World().ready(1, 2).exit(2, code, signal).lines).toEqual([...lines]);
    },
  );

  test.each(["SIGTERM", "SIGQUIT"] as const)(
    "one that a second reload has no use for is told by TERM, and dies of it, or of %s, without a line",
    (signal) => {
      const world = new World(generation(1, { workers: 1 })).ready(1);
      world.wakes = false;
      world.loaded(generation(2, { workers: 1 })).loaded(generation(3, { workers: 1 }));
      expect(signals(world)).toEqual(["SIGTERM 2"]);
      const { lines } = world;
      expect(world.exit(2, null, signal).lines).toEqual(lines);
    },
  );

  test("what else is known of a death stands behind its line", () => {
    const about = "It had 1 request in flight: GET / for 0.2 s";
    const lines = [
      [null, "SIGSEGV", `Worker (pid:1002) was sent SIGSEGV! ${about}`],
      [null, "SIGKILL", `Worker (pid:1002) was sent SIGKILL! Perhaps out of memory? ${about}`],
      [7, null, `Worker (pid:1002) exited with code 7. ${about}`],
      [0, null, `Worker (pid:1002) exited with code 0, unasked. ${about}`],
    ] as const;
    for (const [code, signal, line] of lines) {
      const world = new World().ready(1, 2);
      world.event({ type: "exited", age: 2, code, signal, about });
      expect(world.lines).toEqual([line]);
    }
  });

  test("a worker that somebody else told to go gets its successor before it has gone", () => {
    const world = new World().ready(1, 2);
    world.event({ type: "message", age: 1, message: "draining" });
    expect(spawns(world).at(-1)).toBe("age 3 slot 0 generation 1");
    expect(signals(world)).toEqual([]);
  });

  test("deaths of workers that had served for long are not counted", () => {
    const world = new World(generation(1, { workers: 1 }));
    for (let age = 1; age <= 5; age++) world.ready(age).pass(10_000).exit(age, 1);
    expect(world.state.fleet.slots[0]?.failures).toBe(1);
  });
});

describe("max_requests", () => {
  test("a tired worker is told to go only when its successor is ready", () => {
    const world = new World().ready(1, 2).tired(1);
    expect(spawns(world).at(-1)).toBe("age 3 slot 0 generation 1");
    expect(signals(world)).toEqual([]);
    world.ready(3);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
  });

  test("a slot waits with the next successor until the last but one has gone", () => {
    const world = new World(generation(1, { workers: 1 })).ready(1).tired(1).ready(2).tired(2);
    expect(spawns(world)).toHaveLength(2);
    world.exit(1);
    expect(spawns(world)).toHaveLength(3);
  });
});

describe("timeout", () => {
  test("silence longer than timeout means ABRT, a second later KILL, then a respawn", () => {
    const world = new World(generation(1, { workers: 1, timeoutMs: 2000 })).ready(1);
    world.pass(2000, [1]);
    expect(signals(world)).toEqual([]);
    world.pass(250, [1]);
    expect(signals(world)).toEqual(["SIGABRT 1"]);
    const [abort] = world.actions.filter((each) => each.do === "signal");
    expect(abort?.because).toEqual({ level: "critical", message: "WORKER TIMEOUT (pid:1001)" });
    world.pass(1000, [1]);
    expect(signals(world)).toEqual(["SIGABRT 1", "SIGKILL 1"]);
    world.exit(1, null, "SIGKILL");
    expect(world.lines).toEqual([]);
    expect(spawns(world)).toHaveLength(2);
  });

  test.each([
    ["0 switches it off", { timeoutMs: 0 }, true],
    ["a long boot isn't silence", { timeoutMs: 2000 }, false],
  ])("%s", (_name, change, isReady) => {
    const world = new World(generation(1, { workers: 1, ...change }));
    if (isReady) world.ready(1);
    world.pass(60_000, [1]);
    expect(signals(world)).toEqual([]);
  });

  test("a machine that stood still is no hung worker", () => {
    const world = new World(generation(1, { workers: 1, timeoutMs: 2000 })).ready(1);
    world.nowMs += 60_000;
    world.tick([1]);
    expect(signals(world)).toEqual([]);
  });

  test("nextDeadlineMs() names the moment at which silence becomes too long", () => {
    const world = new World(generation(1, { workers: 1, timeoutMs: 2000 })).ready(1);
    expect(nextDeadlineMs(world.state, world.nowMs)).toBe(world.nowMs + 2001);
  });
});

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
      world.event({ type: "steered", count: 1, refused: new Error("ENOSYS") }).signal("hup");
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

describe("TTIN and TTOU", () => {
  function verbs(world: World): string[] {
    return world.actions.map((each) => ("count" in each ? `${each.do} ${each.count}` : each.do));
  }

  test("a new slot's sockets get connections only when its worker is ready", () => {
    const world = new World().ready(1, 2);
    world.actions.length = 0;
    world.signal("ttin");
    expect(verbs(world)).toEqual(["steer 2", "open slot", "spawn"]);
    world.ready(3);
    expect(verbs(world).at(-1)).toBe("steer 3");
  });

  test("the highest slot is steered away from, then drained, then closed", () => {
    const world = new World(generation(1, { workers: 3 })).ready(1, 2, 3);
    world.actions.length = 0;
    world.signal("ttou");
    expect(verbs(world)).toEqual(["steer 2"]);
    world.pass(100);
    expect(signals(world)).toEqual(["SIGTERM 3"]);
    world.exit(3);
    expect(verbs(world)).toEqual(["steer 2", "signal", "close slot"]);
  });

  test("the target never falls below 1, and a TTOU there changes nothing", () => {
    const world = new World().ready(1, 2).signal("ttou").signal("ttou").signal("ttou");
    expect(world.state.fleet.target).toBe(1);
    expect(world.reactions.filter((each) => each.do === "hook nworkersChanged")).toEqual([
      { do: "hook nworkersChanged", value: 1, old: 2 },
    ]);
  });

  test("a TTIN while the top slot drains fills it again", () => {
    const world = new World().ready(1, 2).signal("ttou").pass(250);
    expect(signals(world)).toEqual(["SIGTERM 2"]);
    world.signal("ttin");
    expect(spawns(world).at(-1)).toBe("age 3 slot 1 generation 1");
    world.ready(3).exit(2);
    expect(world.serving()).toEqual([[1], [3]]);
  });
});

describe("stop", () => {
  test("TERM: no new connections, TERM to all, also to those that boot, then the end", () => {
    const world = new World().ready(1).signal("term");
    const done = () => world.actions.slice(2).map((each) => each.do);
    expect(done()).toEqual(["refuse new connections"]);
    world.pass(99);
    expect(done()).toEqual(["refuse new connections"]);
    world.pass(1);
    expect(done()).toEqual(["refuse new connections", "close listeners", "signal", "signal"]);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 2"]);
    world.exit(1).exit(2);
    expect(world.halted).toEqual({ do: "halt", exitCode: 0, reason: null, left: [] });
  });

  test("TERM waits for a worker's process that doesn't take signals yet", () => {
    const world = new World(generation(1, { workers: 1 })).ready(1);
    world.wakes = false;
    world.exit(1, null, "SIGKILL").signal("term").pass(100);
    expect(signals(world)).toEqual([]);
    world.event({ type: "message", age: 2, message: "awake" });
    expect(signals(world)).toEqual(["SIGTERM 2"]);
  });

  test.each(["int", "quit"] as const)("%s: QUIT to all", (name) => {
    const world = new World().ready(1, 2).signal(name);
    expect(signals(world)).toEqual(["SIGQUIT 1", "SIGQUIT 2"]);
  });

  test("workers that don't stop are killed after graceful_timeout, and the log says so", () => {
    const world = new World(generation(1, { workers: 1, gracefulTimeoutMs: 3000 })).ready(1);
    world.signal("term").pass(3500);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
    world.pass(500);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGKILL 1"]);
  });

  test.each([
    ["term", "SIGTERM"],
    ["int", "SIGQUIT"],
    ["quit", "SIGQUIT"],
  ] as const)(
    "%s: a worker that loads its app, and doesn't answer, is killed after 2 s",
    (name, told) => {
      const world = new World(generation(1, { workers: 1 }));
      world.signal(name).pass(1750);
      expect(signals(world)).toEqual([`${told} 1`]);
      const { phaseSinceMs } = world.worker(1);
      expect(nextDeadlineMs(world.state, world.nowMs)).toBe(phaseSinceMs + 2000);
      world.pass(500);
      expect(signals(world)).toEqual([`${told} 1`, "SIGKILL 1"]);
      expect(world.actions.at(-1)).toMatchObject({
        because: { message: "Worker (pid:1001) had not stopped while it loaded the app, killed" },
      });
      world.exit(1, null, "SIGKILL");
      expect(world.halted).toMatchObject({ exitCode: 0 });
    },
  );

  test.each([
    [
      "has answered",
      (world: World) => world.event({ type: "message", age: 1, message: "draining" }),
    ],
    ["serves after all", (world: World) => world.ready(1)],
  ])("a worker that loads its app, and %s, has the whole graceful_timeout", (_claim, answer) => {
    const world = new World(generation(1, { workers: 1, gracefulTimeoutMs: 5000 })).signal("term");
    answer(world.pass(500)).pass(5000);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
    world.pass(1000);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGKILL 1"]);
  });

  test("a worker that loads its app isn't given longer than graceful_timeout", () => {
    const world = new World(generation(1, { workers: 1, gracefulTimeoutMs: 0 }));
    world.signal("term").pass(1250);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGKILL 1"]);
  });

  test("INT during a graceful stop makes it quick, and shortens the wait to 2 s", () => {
    const world = new World().ready(1, 2).signal("term").signal("int");
    expect(world.lines.at(-1)).toBe("Quick shutdown requested");
    world.pass(2000);
    expect(signals(world).slice(-2)).toEqual(["SIGKILL 1", "SIGKILL 2"]);
  });

  test("nothing is spawned while stopping, and TTIN, TTOU and HUP are ignored", () => {
    const world = new World().ready(1, 2).signal("term").pass(100);
    world.actions.length = 0;
    world.signal("ttin").signal("hup").signal("ttou").exit(1, 3);
    expect(world.actions).toEqual([]);
    expect(world.state.fleet.target).toBe(2);
  });

  test("a hook that throws stops quickly with 255", () => {
    const world = new World()
      .ready(1, 2)
      .event({ type: "fault", message: "A server hook failed." });
    world.exit(1).exit(2);
    expect(world.halted).toEqual({
      do: "halt",
      exitCode: 255,
      reason: "A server hook failed.",
      left: [],
    });
  });
});

describe("replacement", () => {
  const memory = { maxMemoryBytes: 1000 };

  test("max_restarting_workers bounds how many slots are in replacement, a reload included", () => {
    const world = new World(generation(1, { workers: 4, maxRestarting: 1 })).ready(1, 2, 3, 4);
    world.tired(1).tired(2).tired(3);
    expect(spawns(world).slice(4)).toEqual(["age 5 slot 0 generation 1"]);
    world.ready(5);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
    expect(spawns(world).slice(5)).toEqual(["age 6 slot 1 generation 1"]);
    world.signal("hup").loaded(generation(2, { workers: 4, maxRestarting: 1 }));
    expect(spawns(world).slice(6)).toEqual([]);
    world.ready(6);
    expect(spawns(world).slice(6)).toEqual(["age 7 slot 2 generation 2"]);
  });

  test("a worker that died is replaced whatever max_restarting_workers says", () => {
    const world = new World(generation(1, { workers: 2, maxRestarting: 1 })).ready(1, 2);
    world.tired(1).exit(2, null, "SIGKILL");
    expect(spawns(world).slice(2)).toEqual([
      "age 3 slot 0 generation 1",
      "age 4 slot 1 generation 1",
    ]);
  });

  test("a successor serves beside the old worker until it has had its warmup_requests", () => {
    const world = new World(generation(1, { workers: 1, warmupRequests: 5 })).ready(1);
    world.pass(10_000).tired(1).ready(2);
    expect(signals(world)).toEqual([]);
    world.requests.set(2, 4);
    world.pass(1000);
    expect(signals(world)).toEqual([]);
    world.requests.set(2, 5);
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
  });

  test("without traffic a successor is warm after 10 s", () => {
    const world = new World(generation(1, { workers: 1, warmupRequests: 5 })).ready(1);
    world.pass(10_000).tired(1).ready(2);
    expect(nextDeadlineMs(world.state, world.nowMs)).toBe(world.nowMs + 10_000);
    world.pass(9750);
    expect(signals(world)).toEqual([]);
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
  });

  test("a successor that dies before it is warm leaves the old worker where it is", () => {
    const world = new World(generation(1, { workers: 1, warmupRequests: 5 })).ready(1);
    world.pass(10_000).tired(1).ready(2).exit(2, null, "SIGSEGV");
    expect(signals(world)).toEqual([]);
    expect(spawns(world).at(-1)).toBe("age 3 slot 0 generation 1");
  });

  test("a worker above max_memory is replaced once, successor first", () => {
    const world = new World(generation(1, { workers: 1, ...memory })).ready(1);
    world.memoryBytes.set(1, 999);
    world.pass(1000);
    world.memoryBytes.set(1, 1001);
    world.pass(3750);
    expect(spawns(world)).toHaveLength(1);
    world.pass(1000);
    expect(world.lines).toContain(
      "Worker (pid:1001) uses 1001 bytes of memory, more than max_memory: replacing it",
    );
    expect(spawns(world)).toHaveLength(2);
    world.ready(2).pass(6000);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
    expect(world.lines.filter((line) => line.includes("max_memory"))).toHaveLength(1);
  });

  test("a new worker that is above max_memory is told once, and replaced more and more slowly", () => {
    const world = new World(generation(1, { workers: 1, ...memory })).ready(1);
    const seconds: number[] = [];
    for (const age of [1, 2, 3, 4]) {
      world.memoryBytes.set(age, 1001);
      const before = spawns(world).length;
      let waited = 0;
      while (spawns(world).length === before) {
        world.pass(250);
        waited += 250;
      }
      seconds.push(waited / 1000);
      world.ready(age + 1).exit(age);
    }
    expect(seconds).toEqual([5, 5.5, 6, 7]);
    expect(world.lines.filter((line) => line.includes("needs more"))).toEqual([
      "max_memory is 1000 bytes, and a new worker needs more: 1001 bytes. Its workers are replaced more and more slowly",
    ]);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 2", "SIGTERM 3", "SIGTERM 4"]);
  });

  test("a reload with a larger max_memory ends the slow replacement", () => {
    const world = new World(generation(1, { workers: 1, ...memory })).ready(1);
    world.memoryBytes.set(1, 1001);
    world.pass(6000).ready(2).exit(1);
    world.memoryBytes.set(2, 1001);
    world.pass(5000);
    expect(world.state.fleet.slots[0]?.failures).toBe(2);
    world.signal("hup").loaded(generation(2, { workers: 1, maxMemoryBytes: 2000 }));
    expect(spawns(world).at(-1)).toBe("age 3 slot 0 generation 2");
    world.ready(3).exit(2);
    world.memoryBytes.set(3, 1001);
    world.pass(20_000);
    expect(spawns(world)).toHaveLength(3);
    expect(world.state.fleet.slots[0]?.failures).toBe(0);
  });

  test.each<[why: string, grown: (world: World) => void]>([
    [
      "was large for a moment at its start",
      (world) => {
        world.memoryBytes.set(1, 1500);
        world.ready(1).pass(1000);
        world.memoryBytes.set(1, 500);
        world.pass(20_000);
      },
    ],
    [
      "had grown before max_memory was set",
      (world) => {
        world.ready(1).pass(20_000);
      },
    ],
  ])("a worker above max_memory that %s is just replaced", (_why, grown) => {
    const world = new World(generation(1, { workers: 1, ...memory }));
    grown(world);
    world.memoryBytes.set(1, 1001);
    world.pass(1000);
    expect(spawns(world)).toHaveLength(2);
    expect(world.lines.filter((line) => line.includes("needs more"))).toEqual([]);
    expect(world.state.fleet.slots[0]?.failures).toBe(0);
  });

  test("workers that fail one after another are replaced more and more slowly, and serve on meanwhile", () => {
    const world = new World(generation(1, { workers: 1 })).ready(1);
    const failing = (age: number) => world.event({ type: "message", age, message: "failing" });
    failing(1).ready(2).exit(1);
    expect(spawns(world)).toHaveLength(2);
    failing(2);
    failing(2);
    expect(spawns(world)).toHaveLength(2);
    expect(world.lines.at(-1)).toBe(
      "Worker of slot 0 failed 2 times in a row, next start in 0.5 s",
    );
    world.pass(500);
    expect(spawns(world)).toHaveLength(3);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
  });

  test("a worker that has served for its max_lifetime is replaced", () => {
    const world = new World(generation(1, { workers: 1 }));
    world.ready(1);
    expect(nextDeadlineMs(world.state, world.nowMs)).toBe(world.nowMs + 30_001);
    world.lifetimeMs = 2000;
    world.tired(1).ready(2).exit(1);
    expect(nextDeadlineMs(world.state, world.nowMs)).toBe(world.nowMs + 2000);
    world.pass(2000);
    expect(spawns(world)).toHaveLength(3);
  });
});

describe("WINCH", () => {
  test("all workers leave, the sockets stay, and HUP brings workers back", () => {
    const world = new World().ready(1, 2).signal("winch");
    expect(world.lines.at(-1)).toBe("graceful stop of workers");
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 2"]);
    world.exit(1).exit(2).pass(2000);
    expect(world.state.fleet.slots).toHaveLength(2);
    expect(spawns(world)).toHaveLength(2);
    world.signal("hup").loaded(generation(2));
    expect(spawns(world).slice(2)).toEqual([
      "age 3 slot 0 generation 2",
      "age 4 slot 1 generation 1",
    ]);
  });

  test("TTIN after WINCH starts one worker, as in Gunicorn", () => {
    const world = new World().ready(1, 2).signal("winch").exit(1).exit(2).signal("ttin");
    expect(world.state.fleet.target).toBe(1);
    expect(spawns(world)).toHaveLength(3);
  });

  test("on a terminal it is ignored: a window that changes its size sends it", () => {
    const world = new World(generation(1), { onTerminal: true }).ready(1, 2).signal("winch");
    expect(world.lines.at(-1)).toBe("SIGWINCH ignored. Not daemonized");
    expect(signals(world)).toEqual([]);
  });
});

describe("USR2", () => {
  const upgraded = () =>
    new World().ready(1, 2).signal("usr2").event({ type: "upgrade started", pid: 99 });

  test("asks for a new master, and for one only", () => {
    const world = upgraded();
    expect(world.reactions.filter((each) => each.do === "upgrade")).toHaveLength(1);
    world.signal("usr2");
    expect(world.lines.at(-1)).toBe("USR2 signal ignored. Child exists.");
    world.event({ type: "upgrade ended", code: 0, signal: null }).signal("usr2");
    expect(world.reactions.filter((each) => each.do === "upgrade")).toHaveLength(2);
  });

  test("a new master takes no USR2 before it is promoted", () => {
    const world = new World(generation(1), { understudy: true }).ready(1, 2).signal("usr2");
    expect(world.lines.at(-1)).toBe("USR2 signal ignored. Parent exists.");
    world.event({ type: "promoted" });
    expect(world.lines.at(-1)).toBe("Master has been promoted.");
    world.signal("usr2");
    expect(world.reactions.some((each) => each.do === "upgrade")).toBe(true);
  });

  test("while two masters share the sockets, a stop leaves them as they are", () => {
    const world = upgraded().signal("quit").exit(1).exit(2);
    expect(world.actions.some((each) => each.do === "refuse new connections")).toBe(false);
    expect(world.halted?.exitCode).toBe(0);
  });

  test("when the new master has gone, connections are steered to all slots again", () => {
    const world = upgraded().event({ type: "upgrade ended", code: 3, signal: null });
    expect(world.lines.at(-1)).toBe(
      "New master (pid:99) exited with code 3, this one is the only one again",
    );
    expect(world.actions.at(-1)).toEqual({ do: "steer", count: 2 });
  });

  test("a new master that wants more workers than it has sockets for grows by steering", () => {
    const world = new World(generation(1, { workers: 3 }), { slots: 1, understudy: true });
    const kinds = world.actions.map((each) => each.do);
    expect(kinds.filter((kind) => kind === "open slot")).toHaveLength(2);
    expect(kinds.indexOf("steer")).toBeLessThan(kinds.indexOf("open slot"));
  });
});

describe("drain_delay", () => {
  const delayed = () => new World(generation(1, { drainDelayMs: 3000 })).ready(1, 2).signal("term");

  test("workers serve on for that long, saying Connection: close, and are told to leave then", () => {
    const world = delayed();
    expect(world.actions.slice(-2)).toEqual([
      { do: "wind down", age: 1 },
      { do: "wind down", age: 2 },
    ]);
    expect(nextDeadlineMs(world.state, world.nowMs)).toBe(world.nowMs + 3000);
    world.pass(2750);
    expect(signals(world)).toEqual([]);
    world.pass(250);
    expect(world.actions.at(-1)).toEqual({ do: "refuse new connections" });
    world.pass(100);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 2"]);
  });

  test("QUIT ends the delay", () => {
    const world = delayed().pass(500).signal("quit");
    expect(signals(world)).toEqual(["SIGQUIT 1", "SIGQUIT 2"]);
  });
});

describe("two masters with different numbers of slots", () => {
  test("a new master that goes leaves its own slots first, without connections", () => {
    const world = new World(generation(1, { workers: 3 }), { slots: 1, understudy: true });
    world.ready(1, 2, 3).signal("term");
    expect(world.actions.at(-1)).toEqual({ do: "steer", count: 1 });
    expect(signals(world)).toEqual([]);
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 2", "SIGTERM 3"]);
  });

  test("an old master that has grown since does the same, also for WINCH", () => {
    const world = new World().ready(1, 2).event({ type: "upgrade started", pid: 99 });
    world.signal("ttin").ready(3).signal("winch");
    expect(world.actions.at(-1)).toEqual({ do: "steer", count: 2 });
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 2", "SIGTERM 3"]);
  });

  test("a slot that went meanwhile, and came again, isn't the other master's", () => {
    const world = new World().ready(1, 2).event({ type: "upgrade started", pid: 99 });
    world.signal("ttou").pass(250).exit(2).signal("ttin").ready(3).signal("term");
    expect(world.actions.at(-1)).toEqual({ do: "steer", count: 1 });
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 2", "SIGTERM 1", "SIGTERM 3"]);
  });

  test("a promoted master steers anew", () => {
    const world = new World(generation(1), { understudy: true }).ready(1, 2);
    world.event({ type: "promoted" });
    expect(world.actions.at(-1)).toEqual({ do: "steer", count: 2 });
  });
});

test("a worker that dies in drain_delay is replaced, and the server doesn't end for it", () => {
  const world = new World(generation(1, { workers: 1, drainDelayMs: 5000 })).ready(1);
  world.signal("term").exit(1, null, "SIGKILL");
  expect(world.halted).toBeNull();
  expect(spawns(world)).toHaveLength(2);
});

test("a successor that tires before it is warm still succeeds", () => {
  const world = new World(generation(1, { workers: 1, warmupRequests: 100 })).ready(1);
  world.pass(10_000).tired(1).ready(2).tired(2);
  expect(signals(world)).toEqual(["SIGTERM 1"]);
});

test("after WINCH a reload that fails brings the workers of before back", () => {
  const world = new World().ready(1, 2).signal("winch").exit(1).exit(2).signal("hup");
  world.event({ type: "config failed", message: "no" });
  expect(spawns(world)).toHaveLength(4);
  expect(world.lines.at(-1)).toBe(
    "Reload failed, the workers of the last configuration come back: no",
  );
});
