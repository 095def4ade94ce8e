/** Curves as text for a terminal and for docs/benchmarks.md, as charts and as series. */
import type { Panel, Point } from "../charts/svg.ts";
import type { Series } from "../results.ts";
import { medianOf, spreadOf } from "../statistics.ts";
import { renderMarkdown, showNumber } from "../tables.ts";
import type { Curve, Quantity, Sample } from "./curve.ts";

/** What both sides have shown at one value, a sample for each round. */
export interface Visited {
  readonly x: number;
  readonly ours: Sample[];
  readonly bare: Sample[];
}

/** A curve, as far as it has been measured. */
export interface Grown {
  readonly curve: Curve;
  readonly visited: readonly Visited[];
}

type SideName = "ours" | "bare";

const names = { ours: "gunicorn-ts", bare: "Bun.serve" } as const;
const sides: readonly SideName[] = ["ours", "bare"];

/** From so many CPUs on that others use, figures are doubtful. */
const othersMatter = 0.15;

function valuesOf(samples: readonly Sample[], quantity: number): number[] {
  return samples.map(({ values }) => values[quantity] ?? null).filter((value) => value !== null);
}

/** null when no turn could tell. */
function median(samples: readonly Sample[], quantity: number): number | null {
  const values = valuesOf(samples, quantity);
  return values.length === 0 ? null : medianOf(values);
}

function show(value: number | null): string {
  return value === null ? "-" : showNumber(value);
}

/** The description, the table, what is wrong with the figures, and why the curve is as it is. */
export function renderGrown({ curve, visited }: Grown): string {
  const { description, xName, showX, quantities, each, why } = curve;
  const rows = visited.map((point, index) => [
    showX(point.x),
    ...quantities.flatMap((quantity, at) => cellsOf(quantity, at, point)),
    ...(each === undefined
      ? []
      : sides.map((side) => show(further(curve, visited[index - 1], point, side)))),
  ]);
  const heads = quantities.flatMap(({ column, oursOnly }) =>
    oursOnly === true ? [column] : [column, names.bare, "beside it"],
  );
  const more = each === undefined ? [] : [each.name, names.bare];
  const table = renderMarkdown([[xName, ...heads, ...more], ...rows]);
  return [`${capital(description)}.`, "", table, ...warnings(visited), why, ""].join("\n");
}

function sidesOf({ oursOnly }: Quantity): readonly SideName[] {
  return oursOnly === true ? ["ours"] : sides;
}

/** Of one quantity: ours, Bun.serve's, and the one beside the other. */
function cellsOf({ oursOnly }: Quantity, at: number, { ours, bare }: Visited): string[] {
  const [own, other] = [median(ours, at), median(bare, at)];
  if (oursOnly === true) return [show(own)];
  const ratio = own === null || other === null ? "-" : (own / other).toFixed(2);
  return [show(own), show(other), ratio];
}

/** What the first quantity has grown by since the value before, for each unit of x. */
export function further(
  { each }: Pick<Curve, "each">,
  before: Visited | undefined,
  point: Visited,
  side: SideName,
): number | null {
  if (each === undefined || before === undefined) return null;
  const [from, to] = [median(before[side], 0), median(point[side], 0)];
  if (from === null || to === null) return null;
  return ((to - from) * each.factor * each.per) / (point.x - before.x);
}

function warnings(visited: readonly Visited[]): string[] {
  const samples = visited.flatMap(({ ours, bare }) => [...ours, ...bare]);
  const errors = samples.reduce((sum, sample) => sum + sample.errors, 0);
  const others = medianOf(samples.map(({ othersBusy }) => othersBusy));
  return [
    ...(errors > 0 ? [`${errors} requests failed, or connections were ended.`, ""] : []),
    ...(others < othersMatter
      ? []
      : [
          `Other programs used ${others.toFixed(2)} CPUs meanwhile: repeat it on a quiet machine.`,
          "",
        ]),
  ];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** One for each quantity. */
export function panelsOf({ curve, visited }: Grown): Panel[] {
  const { quantities, xName, scale, showX } = curve;
  return quantities.map((quantity, at) => {
    const bare = pointsOf(visited, "bare", at);
    return {
      title: capital(quantity.name),
      xLabel: xName,
      yLabel: quantity.unit,
      scale,
      points: pointsOf(visited, "ours", at),
      ...(quantity.oursOnly === true
        ? {}
        : { beside: { own: names.ours, other: names.bare, points: bare } }),
      xTicks: visited.map(({ x }) => ({ x, label: showX(x) })),
    };
  });
}

function pointsOf(visited: readonly Visited[], side: SideName, quantity: number): Point[] {
  return visited.flatMap((point) => {
    const values = valuesOf(point[side], quantity);
    if (values.length === 0) return [];
    const { median: y, min: low, max: high } = spreadOf(values);
    return [{ x: point.x, y, low, high }];
  });
}

export function seriesOf({ curve, visited }: Grown): Series[] {
  return visited.flatMap((point) =>
    curve.quantities.flatMap((quantity, at) =>
      sidesOf(quantity).flatMap((side) => {
        const values = valuesOf(point[side], at);
        if (values.length === 0) return [];
        const name = `${curve.name} ${curve.showX(point.x)}, ${names[side]}: ${quantity.name}`;
        return [{ name, unit: quantity.unit, better: quantity.better, values }];
      }),
    ),
  );
}
