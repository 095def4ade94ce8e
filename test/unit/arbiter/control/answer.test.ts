import { describe, expect, test } from "bun:test";
import { answer, type ControlFacts } from "../../../../src/arbiter/control/answer.ts";
import { status } from "../../../../src/arbiter/decide/status.ts";
import { CommandError, readCommand } from "../../../../src/control/commands.ts";
import { settingEntries } from "../../../../src/config/settings.ts";
import type { Config } from "../../../../src/config/types.ts";
import { World } from "../../../support/arbiter-world.ts";

const defaults = Object.fromEntries(settingEntries.map(([key, row]) => [key, row.default]));
const config = { ...defaults, rawEnv: ["TOKEN=abc=def", "EMPTY="] } as unknown as Config;

function facts(world: World, change: Partial<ControlFacts> = {}): ControlFacts {
  const scores = { workers: new Map(), totals: { requests: 5 } as never };
  return {
    pid: 42,
    status: status(world.state, scores, world.nowMs),
    config,
    listeners: [{ address: "http://127.0.0.1:8000", fd: 5, type: "tcp" }],
    waiting: () => 0,
    setsLogLevel: true,
    ...change,
  };
}

/** Two ready workers, with the pids 1001 and 1002. */
const ready = () => new World().ready(1, 2);
const ask = (text: string, world: World, change: Partial<ControlFacts> = {}) =>
  answer(readCommand(text.split(" ")), facts(world, change), 1000);

const token = "0123456789abcdef".repeat(2);

describe("answer()", () => {
  const signal = (name: string) => ({ type: "signal", name });
  const command = (it: object) => ({ type: "command", command: it });
  const rows: [text: string, world: () => World, data: object, event: object | null][] = [
    ["reload", ready, { status: "reloading", loads: 1 }, signal("hup")],
    ["reopen", ready, { status: "reopening" }, signal("usr1")],
    ["upgrade", ready, { status: "upgrading" }, signal("usr2")],
    ["shutdown", ready, { status: "shutting_down", mode: "graceful" }, signal("term")],
    ["shutdown quick", ready, { status: "shutting_down", mode: "quick" }, signal("quit")],
    ["drain", ready, { status: "draining" }, command({ do: "drain" })],
    [
      "worker add 2",
      ready,
      { added: 2, previous: 2, total: 4 },
      command({ do: "scale", workers: 4 }),
    ],
    [
      "worker add",
      () => ready().signal("winch"),
      { added: 1, previous: 0, total: 1 },
      command({ do: "scale", workers: 1 }),
    ],
    [
      "worker remove 5",
      ready,
      { removed: 1, previous: 2, total: 1 },
      command({ do: "scale", workers: 1 }),
    ],
    ["scale 7", ready, { previous: 2, total: 7 }, command({ do: "scale", workers: 7 })],
    [
      "worker kill 1002",
      ready,
      { success: true, killed: 1002 },
      command({ do: "dismiss", age: 2 }),
    ],
    [
      "worker kill 1002",
      () => new World().ready(1),
      { success: true, killed: 1002 },
      command({ do: "dismiss", age: 2 }),
    ],
    [
      "worker restart 1001",
      ready,
      { success: true, restarting: 1001 },
      command({ do: "replace", age: 1 }),
    ],
    [
      `heap 1001 ${token}`,
      ready,
      { success: true, asked: 1001 },
      command({ do: "dump", age: 1, what: "heap", seconds: 0, token, uid: 1000 }),
    ],
    [
      `profile 1002 1.5 ${token}`,
      ready,
      { success: true, asked: 1002 },
      command({ do: "dump", age: 2, what: "profile", seconds: 1.5, token, uid: 1000 }),
    ],
    [
      "log-level debug",
      ready,
      { previous: "info", level: "debug" },
      command({ do: "log level", level: "debug" }),
    ],
    [
      "show listeners",
      ready,
      { listeners: [{ address: "http://127.0.0.1:8000", fd: 5, type: "tcp" }], count: 1 },
      null,
    ],
  ];
  test.each(rows)("%s", (text, world, data, event) => {
    const verdict = ask(text, world());
    expect(verdict.data).toEqual(data);
    expect(verdict.event as object | null).toEqual(event);
  });

  const stopping = () => ready().signal("term");
  const refused: [text: string, world: () => World, change: Partial<ControlFacts>, why: string][] =
    [
      ["worker kill 7", ready, {}, "Worker 7 not found"],
      ["worker restart 7", ready, {}, "Worker 7 not found"],
      [
        "worker restart 1002",
        () => new World().ready(1),
        {},
        "Worker 1002 isn't ready, it is booting",
      ],
      [
        "worker kill 1002",
        () => ready().signal("ttou").pass(250),
        {},
        "Worker 1002 leaves already, it is draining",
      ],
      [`heap 7 ${token}`, ready, {}, "Worker 7 not found"],
      [
        `heap 1002 ${token}`,
        () => new World().ready(1),
        {},
        "Worker 1002 isn't ready, it is booting",
      ],
      ["scale 1025", ready, {}, "At most 1024 workers, got 1025"],
      ["worker add 1023", ready, {}, "At most 1024 workers, got 1025"],
      ["reload", stopping, {}, "The server is shutting down"],
      ["scale 3", stopping, {}, "The server is shutting down"],
      ["upgrade", stopping, {}, "The server is shutting down"],
      ["upgrade", ready, { pid: 1 }, "The end of process 1 ends its container: no upgrade there"],
      [
        "upgrade",
        () => ready().event({ type: "upgrade started", pid: 77 }),
        {},
        "A new master (pid:77) is there already",
      ],
      [
        "upgrade",
        () => new World(undefined, { understudy: true }).ready(1),
        {},
        "The old master is still there",
      ],
      [
        "log-level info",
        ready,
        { setsLogLevel: false },
        "The level of the log is up to logger_class or the logging configuration",
      ],
    ];
  test.each(refused)("refuses %s", (text, world, change, why) => {
    expect(() => ask(text, world(), change)).toThrow(new CommandError(why));
  });

  test("a server that stops can be looked at, hurried, and made to talk", () => {
    for (const text of ["show stats", "shutdown quick", "log-level debug", "reopen"])
      expect(() => ask(text, stopping())).not.toThrow();
  });

  test("show stats has Gunicorn's fields", () => {
    expect(ask("show stats", ready()).data).toMatchObject({
      uptime: 1,
      pid: 42,
      workers_current: 2,
      workers_target: 2,
      workers_spawned: 2,
      workers_killed: 0,
      reloads: 0,
      dirty_arbiter_pid: null,
      state: "ready",
      requests: 5,
    });
  });

  test("show workers has Gunicorn's fields", () => {
    expect(ask("show workers", new World().ready(1)).data).toMatchObject({
      workers: [
        { pid: 1001, age: 1, booted: true, aborted: false, last_heartbeat: 0, state: "ready" },
        { pid: 1002, age: 2, booted: false, aborted: false, last_heartbeat: null },
      ],
      count: 2,
    });
  });

  test("show load takes a look", () => {
    const machine = { cpus: 2, idleSeconds: 1, freeBytes: 5 };
    const bounds = { turns: 1, connections: 1000 };
    const load = () => ({ atMs: 1500, wanted: 2, workers: [], backlog: 3, machine, bounds });
    expect(answer(readCommand(["show", "load"]), facts(ready()), 1000, load)).toMatchObject({
      data: { at: 1.5, workers_target: 2, backlog: 3, cpus: 2, requests_at_a_time: 1 },
      event: null,
    });
    expect(() => ask("show load", ready())).toThrow(new CommandError("The load isn't shown here"));
  });

  test("show config has every setting, and no secret", () => {
    const { data } = ask("show config", ready());
    expect(Object.keys(data)).toHaveLength(settingEntries.length);
    expect(data).toMatchObject({
      raw_env: ["TOKEN=(hidden)", "EMPTY=(hidden)"],
      workers: 1,
      control_socket_mode: "0600",
    });
    expect(JSON.stringify(data)).not.toContain("abc");
  });
});
