/** A master that rests, or has another one beside it: WINCH and USR2. */
import { describe, expect, test } from "bun:test";
import { generation, signals, spawns, World } from "../../../support/arbiter-world.ts";

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

  test("a new master that wants fewer slots serves all of the old one's as long as that lives", () => {
    const world = new World(generation(1, { workers: 2 }), { slots: 4, understudy: true });
    world.ready(1, 2, 3, 4).pass(250);
    expect(world.actions.filter((each) => each.do !== "spawn")).toEqual([]);
    world.event({ type: "promoted" });
    expect(world.actions.at(-1)).toEqual({ do: "steer", count: 2 });
    world.pass(250);
    expect(signals(world)).toEqual(["SIGTERM 3", "SIGTERM 4"]);
    world.exit(3).exit(4);
    expect(world.actions.filter((each) => each.do === "close slot")).toHaveLength(2);
  });

  test("a promoted master steers anew", () => {
    const world = new World(generation(1), { understudy: true }).ready(1, 2);
    world.event({ type: "promoted" });
    expect(world.actions.at(-1)).toEqual({ do: "steer", count: 2 });
  });
});
