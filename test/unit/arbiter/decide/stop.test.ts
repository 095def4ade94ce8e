/** TERM, INT and QUIT: how the server ends. */
import { describe, expect, test } from "bun:test";
import { nextDeadlineMs } from "../../../../src/arbiter/decide/plan.ts";
import { generation, signals, spawns, World } from "../../../support/arbiter-world.ts";

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
    ["as long as handshakes are under way", 1500, true],
    ["until they have ended", 1000, false],
  ])("graceful_timeout counts from when the workers are told, %s", (_, toldMs, forever) => {
    const world = new World(generation(1, { workers: 1, gracefulTimeoutMs: 3000 })).ready(1);
    world.handshakes = true;
    world.signal("term").pass(toldMs - 250);
    expect(signals(world)).toEqual([]);
    world.handshakes = forever;
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
    world.pass(3750);
    expect(signals(world)).toEqual(["SIGTERM 1"]);
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGKILL 1"]);
  });

  test("the same where slots that the other master hasn't are left first", () => {
    const world = new World(generation(1, { workers: 2, gracefulTimeoutMs: 3000 }), {
      slots: 1,
      understudy: true,
    });
    world.ready(1, 2).handshakes = true;
    world.signal("term").pass(1500);
    expect(world.actions.filter((each) => each.do === "steer").length).toBeGreaterThan(1);
    expect(signals(world)).toEqual(["SIGTERM 1", "SIGTERM 2"]);
    world.pass(3750);
    expect(signals(world)).toHaveLength(2);
    world.pass(250);
    expect(signals(world).slice(2)).toEqual(["SIGKILL 1", "SIGKILL 2"]);
  });

  test("what was steered away from before the stop doesn't lengthen it", () => {
    const world = new World(generation(1, { workers: 2, gracefulTimeoutMs: 3000 })).ready(1, 2);
    world.handshakes = true;
    world.signal("ttou").pass(1500).exit(2);
    world.handshakes = false;
    world.signal("term").pass(3750);
    expect(signals(world)).toEqual(["SIGTERM 2", "SIGTERM 1"]);
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 2", "SIGTERM 1", "SIGKILL 1"]);
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

test("a worker that dies in drain_delay is replaced, and the server doesn't end for it", () => {
  const world = new World(generation(1, { workers: 1, drainDelayMs: 5000 })).ready(1);
  world.signal("term").exit(1, null, "SIGKILL");
  expect(world.halted).toBeNull();
  expect(spawns(world)).toHaveLength(2);
});
