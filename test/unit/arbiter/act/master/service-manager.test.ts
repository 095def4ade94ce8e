import { describe, expect, test } from "bun:test";
import {
  ServiceManager,
  servicePhase,
} from "../../../../../src/arbiter/act/master/service-manager.ts";
import type { Generation, Stopping } from "../../../../../src/arbiter/decide/state.ts";
import {
  describeProgress,
  type FleetFacts,
  type MastershipFacts,
  type ProgressFacts,
  progressOf,
} from "../../../../../src/arbiter/decide/status.ts";

type Worker = FleetFacts["workers"][number];

const generation = (number: number, workers = 3) => ({ number, workers }) as Generation;
const stopping = { how: "graceful", exitCode: 0, reason: null } as Stopping;
const fallback = { generation: generation(1), target: 3, paused: false };

/** Workers by slot: `1` ready in generation 1, `1b` booting, `1d` draining; `1+2b` two of them in one slot. */
function workers(...slots: readonly string[]): Worker[] {
  const phases = { b: "booting", d: "draining" } as const;
  return slots.flatMap((text, slot) =>
    text
      .split("+")
      .filter(Boolean)
      .map((each): Worker => {
        const [, number, letter] = /^(\d+)([bd]?)$/.exec(each) ?? [];
        const phase = letter === "b" || letter === "d" ? phases[letter] : "ready";
        return { slot, pid: 1000 + slot, age: slot + 1, generation: Number(number), phase };
      }),
  );
}

type Change = Partial<FleetFacts & MastershipFacts>;

function facts(change: Change = {}): ProgressFacts {
  const all = {
    target: 3,
    wanted: generation(1),
    fallback: null,
    proven: true,
    lastGeneration: 1,
    loading: false,
    resting: false,
    draining: false,
    stopping: null,
    upgrade: null,
    understudy: false,
    workers: workers("1", "1", "1"),
    ...change,
  };
  return { fleet: all, mastership: all };
}

describe("describeProgress()", () => {
  const second = { wanted: generation(2), lastGeneration: 2 };
  const rows: [claim: string, change: Change, phase: string, status: string][] = [
    [
      "is starting until a worker is ready",
      { proven: false, workers: workers("1b", "1b") },
      "starting",
      "Starting: 0 of 3 workers ready",
    ],
    [
      "is starting also when a HUP comes before that",
      { proven: false, loading: true, lastGeneration: 2, workers: [] },
      "starting",
      "Starting: 0 of 3 workers ready",
    ],
    [
      "is ready with the first worker",
      { workers: workers("1b", "1", "1b") },
      "ready",
      "1 of 3 workers ready",
    ],
    ["counts ready workers", {}, "ready", "3 of 3 workers ready"],
    [
      "counts a slot once, and draining workers not at all",
      { workers: workers("1+1", "1+1d", "1d+1b") },
      "ready",
      "2 of 3 workers ready",
    ],
    [
      "counts slots that stay",
      { target: 2, workers: workers("1", "1", "1") },
      "ready",
      "2 of 2 workers ready",
    ],
    ["stays ready when all workers died", { workers: [] }, "ready", "0 of 3 workers ready"],
    [
      "reloads from the signal on",
      { loading: true, lastGeneration: 2 },
      "reloading",
      "Reloading: reading the configuration",
    ],
    [
      "reloads while the first new worker is on trial",
      { ...second, proven: false, fallback, workers: workers("1+2b", "1", "1") },
      "reloading",
      "Reloading: trying a worker of the new configuration",
    ],
    [
      "reloads while an old worker takes new connections",
      { ...second, workers: workers("1d+2", "1+2b", "1") },
      "reloading",
      "Reloading: 1 of 3 workers replaced",
    ],
    [
      "is through with a reload when old workers only drain",
      { ...second, workers: workers("1d+2", "1d+2", "1d+2") },
      "ready",
      "3 of 3 workers ready",
    ],
    [
      "is through with a reload when an old worker died and its slot is empty",
      { ...second, workers: workers("2", "2", "2b") },
      "ready",
      "2 of 3 workers ready",
    ],
    [
      "says that a reload failed",
      { lastGeneration: 2 },
      "ready",
      "3 of 3 workers ready; the last reload failed, see the log",
    ],
    [
      "rests after WINCH",
      { resting: true, workers: workers("1d") },
      "ready",
      "Resting: no workers until HUP or TTIN",
    ],
    [
      "drains for an operator",
      { draining: true },
      "ready",
      "3 of 3 workers ready; draining: clients are told to go elsewhere",
    ],
    [
      "names the new master of an upgrade",
      { upgrade: { pid: 77 } },
      "ready",
      "3 of 3 workers ready; new master (pid:77) beside this one",
    ],
    [
      "is stopping with whoever is left",
      { stopping, workers: workers("1d", "", "1d") },
      "stopping",
      "Stopping, workers left: 2",
    ],
    [
      "is stopping in the middle of a reload",
      { stopping, loading: true, proven: false, workers: [] },
      "stopping",
      "Stopping, workers left: 0",
    ],
    [
      "stops nothing when a new master takes over",
      { stopping, upgrade: { pid: 77 }, workers: workers("1d") },
      "ready",
      "New master (pid:77) takes over, workers left: 1",
    ],
  ];
  test.each(rows)("%s", (_claim, change, phase, status) => {
    const described = progressOf(facts(change));
    expect([servicePhase(described), describeProgress(described)]).toEqual([phase, status]);
  });
});

describe("progressOf()", () => {
  const second = { wanted: generation(2), lastGeneration: 2 };
  test("gives the figures of a reload, and each worker that lives", () => {
    const change = { ...second, workers: workers("1d+2", "1+2b", "1") };
    expect(progressOf(facts(change))).toEqual({
      phase: "reloading",
      reload: "replacing workers",
      generation: 2,
      loads: 2,
      reloadFailed: false,
      target: 3,
      ready: 3,
      current: 1,
      resting: false,
      draining: false,
      newMaster: null,
      understudy: false,
      workers: change.workers,
    });
  });

  test("calls a stop a stop, also beside a new master, and no reload", () => {
    const change = { stopping, loading: true, upgrade: { pid: 77 }, understudy: true };
    expect(progressOf(facts(change))).toMatchObject({
      phase: "stopping",
      reload: null,
      newMaster: 77,
      understudy: true,
    });
  });
});

/** A manager whose datagrams are collected; while `failure` is set, nothing arrives. */
function manager(env: Record<string, string> = {}) {
  const told: string[] = [];
  const warnings: string[] = [];
  const world = { told, warnings, failure: null as string | null };
  const service = new ServiceManager({
    env: { NOTIFY_SOCKET: "/run/notify", ...env },
    pid: 42,
    warn: (message) => warnings.push(message),
    send: (address, text) => {
      expect(address).toBe("/run/notify");
      if (world.failure === null) told.push(text.replace(/USEC=\d+/, "USEC=N"));
      return world.failure;
    },
  });
  return { service, world, told, warnings };
}

describe("ServiceManager", () => {
  test("says each change once, from start to stop", () => {
    const { service, told } = manager();
    const second = { wanted: generation(2), lastGeneration: 2 };
    const states: Change[] = [
      { proven: false, workers: [] },
      { workers: workers("1", "1b", "1b") },
      {},
      { loading: true, lastGeneration: 2 },
      { ...second, proven: false, fallback, workers: workers("1+2b", "1", "1") },
      { ...second, workers: workers("1d+2", "1", "1") },
      { ...second, workers: workers("2", "2", "2") },
      { ...second, stopping, workers: workers("2d", "2d", "2d") },
      { ...second, stopping, workers: [] },
    ];
    for (const change of states) {
      service.observe(facts(change), 0);
      service.observe(facts(change), 0);
    }
    service.halt(facts().mastership);
    expect(told).toEqual([
      "STATUS=Starting: 0 of 3 workers ready\n",
      "READY=1\nSTATUS=1 of 3 workers ready\n",
      "STATUS=3 of 3 workers ready\n",
      "RELOADING=1\nMONOTONIC_USEC=N\nSTATUS=Reloading: reading the configuration\n",
      "STATUS=Reloading: trying a worker of the new configuration\n",
      "STATUS=Reloading: 1 of 3 workers replaced\n",
      "READY=1\nSTATUS=3 of 3 workers ready\n",
      "STOPPING=1\nSTATUS=Stopping, workers left: 3\n",
      "STATUS=Stopping, workers left: 0\n",
    ]);
  });

  test("is ready again after a reload that failed", () => {
    const { service, told } = manager();
    service.observe(facts(), 0);
    service.observe(facts({ loading: true, lastGeneration: 2 }), 0);
    service.observe(facts({ lastGeneration: 2 }), 0);
    expect(told.at(-1)).toBe(
      "READY=1\nSTATUS=3 of 3 workers ready; the last reload failed, see the log\n",
    );
  });

  test("announces a reload that follows on another one by itself", () => {
    const { service, told } = manager();
    service.observe(facts({ loading: true, lastGeneration: 2 }), 0);
    service.observe(facts({ loading: true, lastGeneration: 3 }), 0);
    expect(told.filter((each) => each.startsWith("RELOADING=1\n"))).toHaveLength(2);
  });

  test("says STOPPING also when the end comes at once", () => {
    const { service, told } = manager();
    service.halt(facts().mastership);
    expect(told).toEqual(["STOPPING=1\nSTATUS=Stopping\n"]);
  });

  test("an old master hands over at its end, without stopping the service", () => {
    const { service, told } = manager();
    service.observe(facts(), 0);
    const last = facts({ stopping, upgrade: { pid: 77 }, workers: [] });
    service.observe(last, 0);
    service.halt(last.mastership);
    expect(told.slice(1)).toEqual([
      "STATUS=New master (pid:77) takes over, workers left: 0\n",
      "MAINPID=77\nSTATUS=New master (pid:77) took over\n",
    ]);
  });

  test("a new master is silent until the old one has gone", () => {
    const { service, told } = manager({ WATCHDOG_USEC: "1000000" });
    service.observe(facts({ understudy: true }), 1000);
    service.halt(facts({ understudy: true }).mastership);
    expect(told).toEqual([]);
    expect(service.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    service.observe(facts(), 2000);
    expect(told).toEqual(["WATCHDOG=1\n", "READY=1\nSTATUS=3 of 3 workers ready\n"]);
  });

  test("beats at half the watchdog's time", () => {
    const { service, told } = manager({ WATCHDOG_USEC: "2000000", WATCHDOG_PID: "42" });
    const beats = () => told.filter((each) => each === "WATCHDOG=1\n").length;
    const seen = [5000, 5999, 6000, 6001, 7500, 8499, 8500].map((nowMs) => {
      service.observe(facts(), nowMs);
      return [beats(), service.nextDeadlineMs()];
    });
    expect(seen).toEqual([
      [1, 6000],
      [1, 6000],
      [2, 7000],
      [2, 7000],
      [3, 8500],
      [3, 8500],
      [4, 9500],
    ]);
  });

  test.each([
    ["of another process", { WATCHDOG_USEC: "2000000", WATCHDOG_PID: "41" }],
    ["that is no number", { WATCHDOG_USEC: "soon" }],
    ["of no time", { WATCHDOG_USEC: "0" }],
    ["that isn't set", {}],
  ])("ignores a watchdog %s", (_which, env) => {
    const { service, told } = manager(env);
    service.observe(facts(), 5000);
    expect(told).toEqual(["READY=1\nSTATUS=3 of 3 workers ready\n"]);
    expect(service.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("warns once of a socket that takes nothing, and tries again", () => {
    const { service, world, told, warnings } = manager();
    world.failure = "[Errno 11] Resource temporarily unavailable";
    service.observe(facts(), 0);
    service.observe(facts(), 250);
    world.failure = null;
    service.observe(facts(), 500);
    expect(told).toEqual(["READY=1\nSTATUS=3 of 3 workers ready\n"]);
    expect(warnings).toEqual([
      "NOTIFY_SOCKET: can't send to /run/notify: [Errno 11] Resource temporarily unavailable",
    ]);
  });

  test.each(["", undefined])("says nothing when NOTIFY_SOCKET is %p", (address) => {
    const service = new ServiceManager({
      env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "1000000" },
      pid: 42,
      warn: () => expect.unreachable(),
      send: () => expect.unreachable(),
    });
    service.observe(facts(), 0);
    service.halt(facts().mastership);
    expect(service.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("gives a new master the socket and the watchdog, but not its own pid", () => {
    const { service } = manager({ WATCHDOG_USEC: "1000000", WATCHDOG_PID: "42" });
    expect(service.successorEnv()).toEqual({
      NOTIFY_SOCKET: "/run/notify",
      WATCHDOG_USEC: "1000000",
    });
    expect(manager({ WATCHDOG_PID: "1" }).service.successorEnv()).toEqual({
      NOTIFY_SOCKET: "/run/notify",
    });
  });
});
