/** What a curve is: something that grows, and what is measured at each of its values, of gunicorn-ts and of a bare Bun.serve. */
import type { Scale } from "../charts/axis.ts";
import type { Side } from "../ratio/sides.ts";

/** A line of a chart. */
export interface Quantity {
  readonly name: string;
  readonly unit: string;
  /** What its column is called. */
  readonly column: string;
  readonly better: "more" | "less";
  /** A bare Bun.serve hasn't it. */
  readonly oursOnly?: true;
}

/** What one turn has shown at one value. */
export interface Sample {
  /** One for each quantity of the curve; null for what can't be told. */
  readonly values: readonly (number | null)[];
  readonly errors: number;
  /** CPUs that neither server nor load generator kept busy. */
  readonly othersBusy: number;
}

export interface Curve {
  readonly name: string;
  /** What the section is called. */
  readonly title: string;
  readonly description: string;
  /** What grows. */
  readonly xName: string;
  readonly xs: readonly number[];
  readonly scale: Scale;
  showX(x: number): string;
  readonly quantities: readonly Quantity[];
  /** It is measured once, however many turns are asked for. */
  readonly once?: true;
  /**
   * What the first quantity grows by from one value to the next, for each unit of this many of x; absent where that
   * says nothing.
   */
  readonly each?: { readonly name: string; readonly per: number; readonly factor: number };
  /** Why it isn't flat, or not linear. */
  readonly why: string;
  /** Throws BenchError when this machine can't; called before minutes are spent. */
  check?(xs: readonly number[]): void;
  measure(side: Side, x: number, seconds: number): Promise<Sample>;
}
