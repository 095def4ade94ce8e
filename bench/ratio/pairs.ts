/** Paired turns: ours, the other, ours, the other. What disturbs the machine for a while disturbs both sides of a pair. */
import { type Spread, spreadOf } from "../statistics.ts";
import type { Figure } from "./figure.ts";
import type { RatioLoad } from "./loads.ts";
import type { Side } from "./sides.ts";

export interface Pair {
  readonly ours: Figure;
  /** Or another checkout of ours. */
  readonly bare: Figure;
}

export interface LoadResult {
  readonly load: RatioLoad;
  readonly pairs: readonly Pair[];
}

export interface Summary {
  readonly ours: Spread;
  readonly bare: Spread;
  /** Of the pairs' ratios or differences. */
  readonly compared: Spread;
  readonly met: boolean;
  readonly errors: number;
}

/** Adds to `pairs` as they come, so that an interruption keeps them. */
export async function runPairs(
  load: RatioLoad,
  options: { readonly pairs: number; readonly seconds: number; readonly other: Side },
  pairs: Pair[],
  onTurn: (number: number, side: Side) => void,
): Promise<void> {
  while (pairs.length < options.pairs) {
    onTurn(pairs.length + 1, "gunicorn-ts");
    const ours = await load.measure("gunicorn-ts", options.seconds);
    onTurn(pairs.length + 1, options.other);
    const bare = await load.measure(options.other, options.seconds);
    pairs.push({ ours, bare });
  }
}

export function comparePair({ comparison }: RatioLoad, { ours, bare }: Pair): number {
  return comparison === "ratio" ? ours.value / bare.value : ours.value - bare.value;
}

export function summarise({ load, pairs }: LoadResult): Summary {
  const compared = spreadOf(pairs.map((pair) => comparePair(load, pair)));
  return {
    ours: spreadOf(pairs.map(({ ours }) => ours.value)),
    bare: spreadOf(pairs.map(({ bare }) => bare.value)),
    compared,
    met: compared.median <= load.target,
    errors: pairs.reduce((sum, { ours, bare }) => sum + ours.errors + bare.errors, 0),
  };
}
