/** Workers of one configuration: how they come, go, and are replaced. */
import { describe, expect, test } from "bun:test";
import { nextDeadlineMs } from "../../../../src/arbiter/decide/plan.ts";
import { backOffMs } from "../../../../src/arbiter/decide/update/reap.ts";
import { generation, signals, spawns, World } from "../../../support/arbiter-world.ts";

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

  test("who hangs while its slot goes isn't told to leave besides, which would give it graceful_timeout", () => {
    const world = new World(generation(1, { timeoutMs: 2000 })).ready(1, 2).pass(2000, [2]);
    world.signal("ttou").pass(250, [2]);
    expect(signals(world)).toEqual(["SIGABRT 2"]);
    world.pass(1000, [2]);
    expect(signals(world)).toEqual(["SIGABRT 2", "SIGKILL 2"]);
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

  test("the highest slot stays as long as clients that have connected there are silent", () => {
    const world = new World(generation(1, { workers: 3 })).ready(1, 2, 3);
    world.handshakes = true;
    world.actions.length = 0;
    world.signal("ttou").pass(250);
    expect(verbs(world)).toEqual(["steer 2", "steer 2"]);
    world.handshakes = false;
    world.pass(100);
    expect(signals(world)).toEqual(["SIGTERM 3"]);
  });

  test("the highest slot doesn't wait for clients that never end their handshakes", () => {
    const world = new World(generation(1, { workers: 3 })).ready(1, 2, 3);
    world.handshakes = true;
    world.actions.length = 0;
    world.signal("ttou").pass(1250);
    expect(signals(world)).toEqual([]);
    world.pass(500);
    expect(signals(world)).toEqual(["SIGTERM 3"]);
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

test("a successor that tires before it is warm still succeeds", () => {
  const world = new World(generation(1, { workers: 1, warmupRequests: 100 })).ready(1);
  world.pass(10_000).tired(1).ready(2).tired(2);
  expect(signals(world)).toEqual(["SIGTERM 1"]);
});
