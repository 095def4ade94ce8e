import { expect, test } from "bun:test";
import type { Command } from "../../../../src/arbiter/decide/events.ts";
import { wantedSlots } from "../../../../src/arbiter/decide/state.ts";
import { generation, World } from "../../../support/arbiter-world.ts";

/** A small generator with a seed, so that a failing sequence can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function pick<T>(random: () => number, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}

const codes = ["EPERM", "EACCES", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EAGAIN"] as const;

/** What an operator may want by the control socket, of workers that have gone too. */
function aCommand({ state }: World, random: () => number): Command {
  const { lastAge } = state.fleet;
  const age = Math.max(1, lastAge - Math.floor(random() * 4));
  const all: readonly Command[] = [
    { do: "scale", workers: 1 + Math.floor(random() * 5) },
    { do: "dismiss", age },
    { do: "replace", age },
    { do: "drain" },
  ];
  return pick(random, all) ?? { do: "drain" };
}

/** What happens to a server once in a while. */
function other(world: World, random: () => number): void {
  const { fleet, mastership } = world.state;
  const worker = pick(random, fleet.workers);
  const die = random();
  if (die < 0.1) world.signal("winch");
  else if (die < 0.2) {
    const generations = [fleet.wanted, fleet.fallback?.generation ?? fleet.wanted];
    const { number } = pick(random, generations) ?? fleet.wanted;
    world.event({ type: "credentials renewed", generation: number });
  } else if (die < 0.4 && worker !== undefined) {
    world.memoryBytes.set(worker.age, random() < 0.5 ? 2000 : 10);
  } else if (die < 0.6 && worker !== undefined) {
    world.requests.set(worker.age, (world.requests.get(worker.age) ?? 0) + 3);
  } else if (die < 0.7) world.lifetimeMs = random() < 0.5 ? 5000 : Number.POSITIVE_INFINITY;
  else if (mastership.upgrade === null && die < 0.85) {
    world.event({ type: "upgrade started", pid: 77 });
  } else if (mastership.upgrade !== null) {
    world.event({ type: "upgrade ended", code: pick(random, [0, 3]) ?? 0, signal: null });
  } else if (mastership.understudy) world.event({ type: "promoted" });
  else if (die > 0.9) world.signal(pick(random, ["term", "int", "quit"] as const) ?? "term");
}

/** One random event; the world itself checks that no slot has three workers and nothing is signalled twice. */
function step(world: World, random: () => number): void {
  const { fleet } = world.state;
  const worker = pick(random, fleet.workers);
  const die = random();
  if (die < 0.3 && worker?.phase === "booting") world.ready(worker.age);
  else if (die < 0.4 && worker !== undefined) {
    const code = pick(random, [0, 1, 3, 4, null] as const) ?? null;
    world.exit(worker.age, code, code === null ? "SIGKILL" : null);
  } else if (die < 0.5 && worker?.phase === "ready") world.tired(worker.age);
  else if (die < 0.55 && worker !== undefined) {
    world.event({ type: "message", age: worker.age, message: "draining" });
  } else if (die < 0.65) world.signal(pick(random, ["ttin", "ttou"] as const) ?? "ttin");
  else if (die < 0.68) world.signal("hup");
  else if (die < 0.7) other(world, random);
  else if (die < 0.72) world.event({ type: "command", command: aCommand(world, random) });
  else if (die < 0.725) {
    const workers = Math.max(1, fleet.target + (random() < 0.5 ? 1 : -1));
    world.event({ type: "autoscale", workers, because: "so" });
  } else if (die < 0.75 && fleet.loading) {
    const workers = 1 + Math.floor(random() * 4);
    const { maxRestarting, warmupRequests, maxMemoryBytes, takesCredentials } = fleet.wanted;
    const bounds = {
      maxRestarting,
      warmupRequests,
      maxMemoryBytes,
      takesCredentials,
      timeoutMs: 3000,
      autoscale:
        random() < 0.5 ? { min: 1, max: 5, upAfterMs: 10_000, downAfterMs: 120_000 } : null,
    };
    world.loaded(generation(fleet.lastGeneration, { workers, ...bounds }), random() < 0.3);
  } else if (die < 0.78 && fleet.loading) world.event({ type: "config failed", message: "no" });
  else if (die < 0.8) {
    world.nowMs += 60_000;
    world.tick();
  } else world.pass(Math.floor(random() * 3000), random() < 0.3 && worker ? [worker.age] : []);
}

/** From now on everything goes well: loads succeed, workers boot, and leave when they are told to. */
function calm(world: World): void {
  world.memoryBytes.clear();
  world.refuses = () => null;
  world.lifetimeMs = Number.POSITIVE_INFINITY;
  if (world.state.mastership.resting) world.signal("hup");
  for (let rounds = 0; rounds < 400 && world.halted === null; rounds++) {
    if (world.state.fleet.loading) {
      const { maxRestarting, warmupRequests } = world.state.fleet.wanted;
      world.loaded(generation(world.state.fleet.lastGeneration, { maxRestarting, warmupRequests }));
    }
    for (const worker of world.state.fleet.workers) {
      if (worker.phase === "booting" && world.state.mastership.stopping === null)
        world.ready(worker.age);
      else if (worker.phase !== "ready" && world.reached.has(worker.age)) world.exit(worker.age);
    }
    world.pass(500);
    const { workers, slots, loading, wanted } = world.state.fleet;
    const count = wantedSlots(world.state);
    // One of an earlier generation serves on while the next start in its slot waits.
    const settled = workers.every(
      ({ phase, tired, warm, generation, edition }) =>
        phase === "ready" &&
        !tired &&
        warm &&
        generation === wanted.number &&
        edition === wanted.edition,
    );
    const mortal = workers.some((each) => Number.isFinite(each.lifetimeMs));
    if (
      world.state.mastership.stopping === null &&
      settled &&
      !mortal &&
      !loading &&
      slots.length === count &&
      workers.length === count
    )
      return;
  }
}

/** Nobody is left behind who wasn't killed. */
function wasKilled(world: World, pid: number): boolean {
  return world.actions.some(
    (each) => each.do === "signal" && each.signal === "SIGKILL" && each.pid === pid,
  );
}

test("10,000 random sequences of events end in the wanted state", () => {
  const outcomes = { halted: 0, settled: 0 };
  for (let seed = 1; seed <= 10_000; seed++) {
    const random = randomFrom(seed);
    const silent = randomFrom(~seed);
    const first = generation(1, {
      workers: 1 + (seed % 4),
      timeoutMs: 3000,
      maxRestarting: [1, 2, Number.POSITIVE_INFINITY][seed % 3]!,
      warmupRequests: seed % 5 === 0 ? 3 : 0,
      maxMemoryBytes: 1000,
      takesCredentials: seed % 3 !== 0,
    });
    const world = new World(first, { slots: 1 + (seed % 6), understudy: seed % 7 === 0 });
    // Every other server runs where the system refuses one in ten actions.
    if (seed % 2 === 0)
      world.refuses = () => (random() < 0.1 ? (pick(random, codes) ?? null) : null);
    try {
      for (let count = 0; count < 40 && world.halted === null; count++) {
        world.handshakes = silent() < 0.3;
        step(world, random);
      }
      calm(world);
      if (world.halted !== null) {
        outcomes.halted += 1;
        const asked = world.state.mastership.stopping?.reason === null;
        expect(asked ? [0] : [3, 4]).toContain(world.halted.exitCode);
        expect(world.halted.left.every((pid) => wasKilled(world, pid))).toBe(true);
        continue;
      }
      expect(world.state.mastership.stopping).toBeNull();
      outcomes.settled += 1;
      const { slots, workers, wanted } = world.state.fleet;
      const count = wantedSlots(world.state);
      expect(slots.length).toBe(count);
      expect(workers.length).toBe(count);
      expect(workers.every((each) => each.generation === wanted.number)).toBe(true);
      expect(workers.every((each) => each.edition === wanted.edition)).toBe(true);
      expect(world.serving().every((ages) => ages.length === 1)).toBe(true);
    } catch (error) {
      const state = JSON.stringify(world.state);
      throw new Error(`seed ${seed}: ${(error as Error).message}\n${state}`, { cause: error });
    }
  }
  expect(outcomes.halted).toBeGreaterThan(1000);
  expect(outcomes.settled).toBeGreaterThan(5000);
}, 600_000);
