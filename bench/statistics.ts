/** Figures of several runs: their middle, their spread, and how far chance alone may move them. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return {
    median: sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2,
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
  };
}

export function medianOf(values: readonly number[]): number {
  return spreadOf(values).median;
}

/** The mean range of n normally spread values, in standard deviations, from n = 2 on. */
const meanRanges = [1.128, 1.693, 2.059, 2.326, 2.534, 2.704, 2.847, 2.97, 3.078];

/** How much wider the median of normally spread values varies than their mean. */
const medianPenalty = 1.2533;

/**
 * Two standard errors of the median, in the values' unit: what two runs of the same thing may differ by. The range of few values is
 * a fair and cautious measure of their spread. One value says nothing of it: infinity.
 */
export function noiseOf(values: readonly number[]): number {
  if (values.length < 2) return Number.POSITIVE_INFINITY;
  const { min, max } = spreadOf(values);
  const meanRange = meanRanges[Math.min(values.length, 10) - 2] as number;
  const deviation = (max - min) / meanRange;
  return (2 * medianPenalty * deviation) / Math.sqrt(values.length);
}

export interface Line {
  /** Change of y for 1 of x. */
  readonly slope: number;
  /** Two standard errors of the slope; infinity below three points. */
  readonly noise: number;
}

/** The line of least squares; throws RangeError below two points. */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line {
  if (points.length < 2) throw new RangeError("a line needs two points");
  const meanX = meanOf(points.map(([x]) => x));
  const meanY = meanOf(points.map(([, y]) => y));
  const squares = sum(points.map(([x]) => (x - meanX) ** 2));
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / squares;
  if (points.length < 3) return { slope, noise: Number.POSITIVE_INFINITY };
  const rest = sum(points.map(([x, y]) => (y - meanY - slope * (x - meanX)) ** 2));
  return { slope, noise: 2 * Math.sqrt(rest / (points.length - 2) / squares) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function meanOf(values: readonly number[]): number {
  return sum(values) / values.length;
}
