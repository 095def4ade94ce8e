import { describe, expect, test } from "bun:test";
import { History } from "../../../../src/arbiter/admin/history.ts";
import { generation, World } from "../../../support/arbiter-world.ts";

/** What is said of a world's course, from a settled one on; `!` in front of what is bad. */
function told(course: (world: World, look: () => void) => void, first = new World().ready(1, 2)) {
  const history = new History();
  const look = () => history.observe(first.state, 0);
  look();
  course(first, look);
  look();
  return history.happenings.map(({ bad, text }) => (bad ? `! ${text}` : text));
}

describe("History", () => {
  const pid = (world: World, age: number) => world.worker(age).pid;

  test("says nothing of what was before, and nothing while nothing happens", () => {
    expect(told((world) => world.tick())).toEqual([]);
  });

  test("a worker that dies, and its successor", () => {
    let dead = 0;
    let born = 0;
    const lines = told((world, look) => {
      dead = pid(world, 1);
      world.exit(1, null, "SIGKILL");
      look();
      world.ready(3);
      born = pid(world, 3);
    });
    expect(lines).toEqual([
      `! Worker ${dead} (slot 0) was ended by a signal`,
      `Worker ${born} (slot 0) is ready`,
    ]);
  });

  test("deaths seen at once: one by one if they are alike, together if not", () => {
    const both = (code: number | null, signal: string | null) => {
      const world = new World().ready(1, 2);
      const pids = [pid(world, 1), pid(world, 2)];
      return {
        pids,
        lines: told(() => world.exit(1, null, "SIGKILL").exit(2, code, signal), world),
      };
    };
    const alike = both(null, "SIGSEGV");
    expect(alike.lines).toEqual([
      `! Worker ${alike.pids[0]} (slot 0) was ended by a signal`,
      `! Worker ${alike.pids[1]} (slot 1) was ended by a signal`,
    ]);
    const other = both(0, null);
    expect(other.lines).toEqual([
      `! Workers ${other.pids.join(", ")} ended: 1 was ended by a signal; 1 ended on its own`,
    ]);
  });

  test("a reload, step by step", () => {
    const lines = told((world, look) => {
      world.signal("hup");
      look();
      world.event({ type: "config loaded", generation: generation(2), rebound: false });
      look();
      world.ready(3);
      look();
      world.exit(1).ready(4);
      look();
      world.exit(2);
    });
    expect(lines.filter((line) => line.startsWith("Reload"))).toEqual([
      "Reload: the configuration is read",
      "Reload: a worker of the new configuration is tried",
      "Reload: workers are replaced",
      "Reload done: generation 2",
    ]);
    expect(lines.filter((line) => line.endsWith("left as it was told"))).toHaveLength(2);
  });

  test("a reload that fails, each time", () => {
    const lines = told((world, look) => {
      for (let count = 0; count < 2; count += 1) {
        world.signal("hup");
        look();
        world.event({ type: "config failed", message: "broken" });
        look();
      }
    });
    const one = ["Reload: the configuration is read", "! Reload failed, the running workers stay"];
    expect(lines).toEqual([...one, ...one]);
  });

  test("a new configuration whose worker doesn't boot", () => {
    const lines = told((world, look) => {
      world.signal("hup");
      world.event({ type: "config loaded", generation: generation(2), rebound: false });
      look();
      world.exit(3, 3);
    });
    expect(lines.slice(0, 2)).toEqual([
      "Reload: a worker of the new configuration is tried",
      "! Reload failed, the running workers stay",
    ]);
    expect(lines.at(-1)).toEndWith("failed to boot");
  });

  const rows: readonly (readonly [said: string, course: (world: World) => void])[] = [
    ["Workers wanted: 2, now 3", (world) => world.signal("ttin")],
    ["Workers wanted: 2, now 1", (world) => world.signal("ttou")],
    ["No workers until HUP or TTIN", (world) => world.signal("winch")],
    ["The server stops", (world) => world.signal("term")],
    [
      "Clients are told to go elsewhere",
      (world) => world.event({ type: "command", command: { do: "drain" } }),
    ],
    ["A new master (pid:7) is there", (world) => world.event({ type: "upgrade started", pid: 7 })],
  ];
  test.each(rows)("%s", (said, course) => {
    expect(told(course)).toContain(said);
  });

  test("an old master that has gone", () => {
    const world = new World(generation(1), { understudy: true }).ready(1, 2);
    expect(told(() => world.event({ type: "promoted" }), world)).toEqual([
      "The old master has gone",
    ]);
  });

  test("is bounded", () => {
    const lines = told((world, look) => {
      for (let count = 0; count < 200; count += 1) {
        world.signal(count % 2 === 0 ? "ttin" : "ttou");
        look();
      }
    });
    expect(lines).toHaveLength(100);
  });
});
