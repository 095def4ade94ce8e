import { expect, test } from "bun:test";
import { Balancer } from "../../../../src/arbiter/act/balancer.ts";
import { initialState, type State } from "../../../../src/arbiter/decide/state.ts";
import { SystemError } from "../../../../src/os/libc.ts";
import { generation, World } from "../../../support/arbiter-world.ts";

/** A server of so many ready workers whose sockets, scoreboard and clock are in the hands of the test. */
class Scene {
  state: State;
  nowMs = 1000;
  shares: readonly number[] | null = [];
  refusal: SystemError | null = null;
  readonly steered: string[] = [];
  readonly told: string[] = [];
  readonly waiting: number[] = [];
  /** How many connections the worker of an age may have. */
  readonly most: number[] = [];
  readonly rows;
  #due: (() => void) | null = null;
  readonly balancer: Balancer;

  constructor(workers: number) {
    const world = new World(generation(1, { workers }));
    for (let age = 1; age <= workers; age += 1) world.ready(age);
    this.state = world.state;
    this.rows = Array.from({ length: workers + 1 }, () => ({
      accepted: 0,
      connections: 0,
      inFlight: 0,
      lateness: 0,
      takes: 0,
    }));
    this.balancer = new Balancer({
      listeners: this,
      scoresOf: (age) => this.rows[age],
      mostConnections: (age) => this.most[age] ?? Number.POSITIVE_INFINITY,
      refused: (error) => void this.told.push(error.message),
      clock: { nowMs: () => this.nowMs, after: (_ms, call) => void (this.#due = call) },
    });
  }

  steer(shares: readonly number[]): SystemError | null {
    this.shares = shares;
    this.steered.push(shares.join(" "));
    return this.refusal;
  }

  waitingAt(slot: number): number {
    return this.waiting[slot] ?? 0;
  }

  /** A tick of the arbiter; its heartbeats were seen just now. */
  tick(): this {
    const workers = this.state.fleet.workers.map((each) => ({ ...each, beatAtMs: this.nowMs }));
    this.state = { ...this.state, fleet: { ...this.state.fleet, workers } };
    this.balancer.observe(this.state);
    return this;
  }

  accept(slot: number, count: number): this {
    const row = this.rows[slot + 1]!;
    row.accepted += count;
    row.connections += count;
    return this;
  }

  /** It looks again on its own account, if it wants to. */
  later(ms: number): boolean {
    this.nowMs += ms;
    const due = this.#due;
    this.#due = null;
    due?.();
    return due !== null;
  }

  get last(): string | undefined {
    return this.steered.at(-1);
  }
}

test("all are equal at the start, and nothing more is asked of the system while nothing changes", () => {
  const scene = new Scene(3).tick();
  for (let count = 0; count < 20; count += 1) {
    scene.nowMs += 250;
    scene.tick();
  }
  expect(scene.steered).toEqual(["32 32 32"]);
  expect(scene.later(25)).toBe(false);
});

test("who has more gets less; it looks again until half a second behind the last connection", () => {
  const scene = new Scene(3).tick();
  scene.accept(0, 1);
  scene.nowMs += 250;
  scene.tick();
  expect(scene.last).toBe("0 32 32");
  let looks = 0;
  while (scene.later(25)) looks += 1;
  expect(looks).toBe(21);
  // At rest the next may be the first of a burst.
  expect(scene.last).toBe("25 32 32");
});

test("requests under way count, and so do those that wait in the queue", () => {
  const scene = new Scene(3).tick();
  scene.accept(0, 2).accept(1, 2).accept(2, 2);
  scene.rows[1]!.inFlight = 30;
  scene.waiting[1] = 30;
  scene.tick();
  expect(scene.last).toBe("2 2 32");
});

test("one that leaves a connection in its queue gets none until it accepts again", () => {
  const scene = new Scene(3).tick();
  scene.waiting[2] = 1;
  scene.nowMs += 250;
  scene.tick();
  scene.later(25);
  expect(scene.last).toBe("32 32 0");
  scene.waiting[2] = 0;
  scene.accept(2, 1).accept(0, 1).accept(1, 1);
  scene.later(25);
  expect(scene.last).toBe("32 32 32");
});

test("one whose queue was empty at the look before isn't known to stand still yet", () => {
  const scene = new Scene(3).accept(0, 5).accept(1, 5).tick();
  scene.nowMs += 250;
  scene.waiting[2] = 1;
  scene.tick();
  expect(scene.last).toBe("0 0 32");
  scene.later(25);
  expect(scene.last).toBe("32 32 0");
});

test("one that has as many connections as it may have gets none", () => {
  const scene = new Scene(2).tick();
  scene.accept(0, 8).accept(1, 8);
  scene.rows[2]!.lateness = 1;
  scene.most[1] = 8;
  scene.tick();
  expect(scene.last).toBe("0 32");
  scene.rows[1]!.connections = 4;
  scene.later(100);
  expect(scene.last).toBe("32 0");
});

test("one whose heart doesn't beat gets none", () => {
  const scene = new Scene(3).tick();
  scene.nowMs += 2000;
  scene.tick();
  const [first, ...others] = scene.state.fleet.workers;
  const workers = [{ ...first!, beatAtMs: scene.nowMs - 1500 }, ...others];
  scene.balancer.observe({ ...scene.state, fleet: { ...scene.state.fleet, workers } });
  expect(scene.last).toBe("0 32 32");
});

test.each(["booting", "draining", "quitting", "aborting", "killed"] as const)(
  "a slot whose worker is %s gets none",
  (phase) => {
    const scene = new Scene(3).tick();
    const [first, ...others] = scene.state.fleet.workers;
    const workers = [{ ...first!, phase }, ...others];
    scene.balancer.observe({ ...scene.state, fleet: { ...scene.state.fleet, workers } });
    expect(scene.last).toBe("0 32 32");
    // Nor are connections of a shared socket left to it.
    expect(scene.rows.slice(1).map(({ takes }) => takes)).toEqual([0, 1, 1]);
  },
);

/** Another master serves on the same sockets. */
function besideAnother(scene: Scene, change: Partial<State["mastership"]>): Scene {
  scene.state = { ...scene.state, mastership: { ...scene.state.mastership, ...change } };
  return scene;
}

function dieOf(scene: Scene, slot: number): void {
  const workers = scene.state.fleet.workers.filter((worker) => worker.slot !== slot);
  scene.state = { ...scene.state, fleet: { ...scene.state.fleet, workers } };
}

const old = { upgrade: { pid: 1 } };
const stopping = {
  how: "graceful",
  sinceMs: 0,
  delayMs: 0,
  patienceMs: 30_000,
  exitCode: 0,
  reason: null,
} as const;

test.each<readonly [string, Partial<State["mastership"]>]>([
  ["old", old],
  ["new", { understudy: true }],
])("as the %s master of two it leaves all alike, whatever they have to do", (_name, change) => {
  const scene = new Scene(3).tick();
  scene.accept(0, 9);
  scene.tick();
  besideAnother(scene, change).tick().later(25);
  for (let count = 0; count < 3; count += 1) scene.tick();
  expect(scene.steered).toEqual(["32 32 32", "0 32 32", "32 32 32"]);
});

test("a new master leaves it to the old one who gets connections", () => {
  const scene = besideAnother(new Scene(3), { understudy: true });
  for (const slot of [0, 1, 2]) {
    scene.tick();
    dieOf(scene, slot);
  }
  scene.tick();
  expect(scene.steered).toEqual([]);
});

test("an old master sends none to a slot whose worker has died", () => {
  const scene = besideAnother(new Scene(3).tick(), old);
  dieOf(scene, 1);
  scene.tick().later(25);
  expect(scene.steered).toEqual(["32 32 32", "32 0 32"]);
});

test.each<readonly [string, Partial<State["mastership"]>]>([
  ["rests", { ...old, resting: true }],
  ["stops", { ...old, stopping }],
])(
  "an old master that %s leaves it to the new one, which may have closed slots",
  (_name, change) => {
    const scene = besideAnother(new Scene(3).tick(), change);
    scene.waiting[0] = 1;
    for (let count = 0; count < 3; count += 1) {
      scene.nowMs += 250;
      scene.tick();
    }
    expect(scene.steered).toEqual(["32 32 32"]);
  },
);

test("a new master sends none to a slot where nobody accepts", () => {
  const scene = besideAnother(new Scene(3).tick(), { understudy: true });
  dieOf(scene, 1);
  scene.tick();
  expect(scene.steered).toEqual(["32 32 32"]);
  scene.waiting[1] = 1;
  for (let count = 0; count < 2; count += 1) {
    scene.nowMs += 250;
    scene.tick();
    scene.later(25);
  }
  expect(scene.last).toBe("32 0 32");
  scene.waiting[1] = 0;
  scene.tick().later(25);
  expect(scene.last).toBe("32 32 32");
});

test.each<readonly [string, (scene: Scene) => void]>([
  ["sockets that all share", (scene) => (scene.shares = null)],
  ["a single worker", (scene) => (scene.state = initialState(generation(1, { workers: 1 }), 0))],
  [
    "connections that are steered to one slot",
    (scene) => {
      const sockets = {
        ...scene.state.sockets,
        steered: { count: 1, handshakes: false, lookedAtMs: 0, sinceMs: 0 },
      };
      scene.state = { ...scene.state, sockets };
    },
  ],
  [
    "connections that are to be steered anew",
    (scene) => {
      const sockets = {
        ...scene.state.sockets,
        steered: { count: 0, handshakes: false, lookedAtMs: 0, sinceMs: 0 },
      };
      scene.state = { ...scene.state, sockets };
    },
  ],
])("nothing is done with %s", (_name, change) => {
  const scene = new Scene(3);
  change(scene);
  scene.tick().accept(0, 5).tick();
  expect(scene.steered).toEqual([]);
});

test("what the system refuses is told once, and not tried again", () => {
  const scene = new Scene(3);
  scene.refusal = new SystemError(1, "setsockopt");
  scene.tick().accept(0, 5);
  scene.nowMs += 250;
  scene.tick();
  expect(scene.steered).toHaveLength(1);
  expect(scene.told).toHaveLength(1);
});
