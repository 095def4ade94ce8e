/** Where values stand along an axis, and which of them are written beside it. */

export interface Axis {
  /** Where a value stands, in the chart's units. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

export type Scale = "linear" | "log";

/** An axis for `values` from `start` to `end` of the chart. A logarithmic one shows values above 0 only. */
export function axisOf(
  scale: Scale,
  values: readonly number[],
  from: readonly [start: number, end: number],
): Axis {
  return scale === "log" ? logAxis(values, from) : linearAxis(values, from);
}

/** From 0, or below, to the largest value. */
export function linearAxis(
  values: readonly number[],
  [start, end]: readonly [start: number, end: number],
): Axis {
  const [low, high] = [Math.min(...values, 0), Math.max(...values, 0)];
  const at = (value: number) =>
    high === low ? start : start + ((value - low) / (high - low)) * (end - start);
  return { at, ticks: ticks(low, high) };
}

/** From one power of ten to another. */
function logAxis(
  values: readonly number[],
  [start, end]: readonly [start: number, end: number],
): Axis {
  const exponents = values.filter((value) => value > 0).map((value) => Math.log10(value));
  const low = Math.floor(Math.min(...exponents, Number.MAX_VALUE));
  const high = Math.ceil(Math.max(...exponents, low));
  if (exponents.length === 0) return linearAxis(values, [start, end]);
  const span = Math.max(1, high - low);
  return {
    at: (value) => start + ((Math.log10(value) - low) / span) * (end - start),
    ticks: Array.from({ length: span + 1 }, (_, step) => 10 ** (low + step)),
  };
}

/** About five round values. */
export function ticks(from: number, to: number): number[] {
  const step = roundStep((to - from) / 5);
  const values: number[] = [];
  for (let value = Math.ceil(from / step) * step; value <= to + step / 1e6; value += step) {
    values.push(Number(value.toPrecision(12)));
  }
  return values;
}

/** The end of an axis that holds the value. */
export function ceiling(value: number): number {
  if (value <= 0) return 1;
  const step = roundStep(value / 5);
  return Math.ceil(value / step) * step;
}

/** The next of 1, 2, 5, 10, 20 ... */
function roundStep(step: number): number {
  if (!(step > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((each) => each * power >= step) ?? 10;
  return factor * power;
}
