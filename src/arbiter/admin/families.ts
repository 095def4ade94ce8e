/** Families of metrics as metrics.ts writes them: by kind and unit, of one figure, of labelled ones, or of workers by slot. */
import type { Family, Labels, Sample } from "../../telemetry/metrics/open-metrics.ts";
import type { WorkerStatus } from "../decide/status.ts";

type Plain = Extract<Family, { readonly samples: readonly Sample[] }>;

export function counter(name: string, help: string, samples: readonly Sample[]): Plain {
  return { name, type: "counter", help, samples };
}

export function gauge(name: string, help: string, samples: readonly Sample[]): Plain {
  return { name, type: "gauge", help, samples };
}

export function inBytes(family: Plain): Family {
  return { ...family, unit: "bytes" };
}

export function inSeconds(family: Plain): Family {
  return { ...family, unit: "seconds" };
}

/** None for what isn't known. */
export function one(value: number | null): readonly Sample[] {
  return value === null ? [] : [{ labels: {}, value }];
}

export function labelled(
  label: string,
  values: readonly (readonly [string, number])[],
): readonly Sample[] {
  return values.map(([text, value]) => ({ labels: { [label]: text } satisfies Labels, value }));
}

type Known = number | null | undefined;
type Measure = (workers: readonly WorkerStatus[]) => Known;

/** A slot may have two workers: a pid as a label would begin a new series with each one. */
export function bySlot(workers: readonly WorkerStatus[], measure: Measure): readonly Sample[] {
  const bySlots = Map.groupBy(workers, (worker) => worker.slot);
  return [...bySlots]
    .sort(([one], [other]) => one - other)
    .flatMap(([slot, occupants]) => {
      const value = measure(occupants) ?? null;
      return value === null ? [] : [{ labels: { slot: String(slot) }, value }];
    });
}

export function sumOf(read: (worker: WorkerStatus) => Known): Measure {
  return (workers) => reduceKnown(workers.map(read), (sum, value) => sum + value);
}

export function mostOf(read: (worker: WorkerStatus) => Known): Measure {
  return (workers) => reduceKnown(workers.map(read), Math.max);
}

function reduceKnown(
  values: readonly Known[],
  join: (one: number, other: number) => number,
): Known {
  return values.reduce<Known>((before, value) => {
    if (value === null || value === undefined) return before;
    return before === null || before === undefined ? value : join(before, value);
  }, null);
}

export function seconds(milliseconds: Known): Known {
  return milliseconds === null || milliseconds === undefined ? null : milliseconds / 1000;
}
