import { describe, expect, test } from "bun:test";
import { isReady, describeHealth } from "../../../../src/arbiter/admin/health.ts";
import { metricsOf } from "../../../../src/arbiter/admin/metrics.ts";
import type { Snapshot } from "../../../../src/arbiter/admin/snapshot.ts";
import { writeMetrics } from "../../../../src/telemetry/metrics/open-metrics.ts";
import { generation, World } from "../../../support/arbiter-world.ts";
import { readFigures } from "../../../support/admin.ts";
import { snapshotOf } from "../../../support/snapshots.ts";

function figuresOf(snapshot: Snapshot): ReadonlyMap<string, number> {
  return readFigures(writeMetrics(metricsOf(snapshot), "openMetrics"));
}

describe("metricsOf()", () => {
  test("joins the workers of a slot: sums, and the worst delay", () => {
    const world = new World().ready(1, 2);
    const rows = {
      1: { inFlight: 2, loopDelayMs: 500 },
      2: { inFlight: 1, loopDelayMs: 20 },
    };
    const snapshot = snapshotOf(world, rows);
    const [first, second] = snapshot.status.workers;
    const one = {
      ...snapshot,
      status: { ...snapshot.status, workers: [first!, { ...second!, slot: 0 }] },
    };
    const figures = figuresOf(one);
    expect(figures.get('gunicorn_requests_in_flight{slot="0"}')).toBe(3);
    expect(figures.get('gunicorn_worker_loop_delay_seconds{slot="0"}')).toBe(0.5);
    expect(figures.get('gunicorn_worker_resident_memory_bytes{slot="0"}')).toBe(3000);
    expect(figures.has('gunicorn_requests_in_flight{slot="1"}')).toBe(false);
    expect(figuresOf(snapshot).get('gunicorn_requests_in_flight{slot="1"}')).toBe(1);
  });

  test("leaves out what the system doesn't say", () => {
    const world = new World().ready(1, 2);
    const system = { ...snapshotOf(world).system, masterMemoryBytes: null };
    const names = [...figuresOf(snapshotOf(world, {}, { system })).keys()];
    expect(names.filter((name) => /^process_resident|slot=.*memory|loop_delay/.test(name))).toEqual(
      [],
    );
  });

  test("says when certificates expire, if there are any", () => {
    const world = new World().ready(1, 2);
    const certificates = [{ fingerprint: "", name: "CN=a (a)", expiresMs: 2_000_000_500 }];
    const name = 'gunicorn_tls_certificate_expiry_timestamp_seconds{certificate="CN=a (a)"}';
    expect(figuresOf(snapshotOf(world, {}, { certificates })).get(name)).toBe(2_000_000.5);
    expect([...figuresOf(snapshotOf(world)).keys()].join()).not.toContain("certificate");
  });

  test("counts the steps of autoscale, where there is one", () => {
    const autoscale = { min: 1, max: 3, upAfterMs: 1, downAfterMs: 1 };
    const world = new World(generation(1, { autoscale })).ready(1, 2);
    world.event({ type: "autoscale", workers: 3, because: "so" }).signal("ttou");
    const figures = figuresOf(snapshotOf(world));
    expect(figures.get('gunicorn_autoscale_steps_total{direction="up"}')).toBe(1);
    expect(figures.get('gunicorn_autoscale_steps_total{direction="down"}')).toBe(0);
    expect(figures.get("gunicorn_autoscale_paused")).toBe(1);
    const without = figuresOf(snapshotOf(new World().ready(1, 2)));
    expect([...without.keys()].join()).not.toContain("autoscale");
  });

  test("names each family once, and gives a unit only to names that end with it", () => {
    const families = metricsOf(snapshotOf(new World().ready(1, 2)));
    const names = families.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, unit } of families)
      if (unit !== undefined) expect(name).toEndWith(`_${unit}`);
    for (const { name } of families) expect(name).not.toEndWith("_total");
  });
});

describe("health", () => {
  const world = () => new World();
  const rows: readonly (readonly [said: string, ready: boolean, make: () => World])[] = [
    ["starting", false, world],
    ["ready", true, () => world().ready(1)],
    ["ready", true, () => world().ready(1, 2)],
    ["ready", true, () => world().ready(1, 2).signal("hup")],
    ["stopping", false, () => world().ready(1, 2).signal("term")],
    ["stopping", false, () => world().ready(1, 2).signal("int")],
  ];
  test.each(rows)("%s: %p", (said, ready, make) => {
    const { status: facts } = snapshotOf(make());
    expect(isReady(facts)).toBe(ready);
    expect(describeHealth(facts)).toBe(said);
  });

  test("a server that rests isn't ready", () => {
    const facts = { phase: "ready", ready: 0, resting: true } as const;
    expect(isReady(facts)).toBe(false);
    expect(describeHealth(facts)).toBe("resting");
    expect(describeHealth({ ...facts, resting: false })).toBe("no worker is ready");
  });
});
