/** Line charts as SVG, a panel for each: made by hand, to be opened in any browser. */
import { axisOf, ceiling, type Scale } from "./axis.ts";

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly points: readonly Point[];
  /** What the line is held beside, with the names of both. */
  readonly beside?: {
    readonly own: string;
    readonly other: string;
    readonly points: readonly Point[];
  };
  /** Of both axes; linear without it. */
  readonly scale?: Scale;
  /** What is written below the axis, in place of round values. */
  readonly xTicks?: readonly { readonly x: number; readonly label: string }[];
  /** Vertical lines: `guideline 2n+1`. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** The spread, drawn as a bar. */
  readonly low?: number;
  readonly high?: number;
}

const width = 460;
const height = 260;
const margin = { top: 44, right: 24, bottom: 44, left: 66 };
const columns = 2;
const headingHeight = 56;

const colours = { line: "#0b62a4", spread: "#7fb2d9", mark: "#b8420f", axis: "#444", grid: "#ddd" };
const besideColours = { line: "#8a5a00", spread: "#dcc08a" };

export function renderSvg(title: string, subtitle: string, panels: readonly Panel[]): string {
  const rows = Math.max(1, Math.ceil(panels.length / columns));
  const wide = width * Math.min(columns, Math.max(1, panels.length));
  const high = headingHeight + rows * height;
  const drawn = panels.map((panel, index) => {
    const x = (index % columns) * width;
    const y = headingHeight + Math.floor(index / columns) * height;
    return `<g transform="translate(${x} ${y})">\n${renderPanel(panel)}\n</g>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${high}" width="${wide}" height="${high}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
${text(16, 24, title, 'font-size="15" font-weight="bold"')}
${text(16, 42, subtitle, `fill="${colours.axis}"`)}
${drawn.join("\n")}
</svg>
`;
}

function renderPanel(panel: Panel): string {
  const { title, xLabel, yLabel, points, beside, scale = "linear", marks = [] } = panel;
  const all = [...points, ...(beside?.points ?? [])];
  const xs = [...all.map(({ x }) => x), ...marks.map(({ x }) => x)];
  const ys = all.flatMap(({ y, low = y, high = y }) => [y, low, high]);
  const bottom = height - margin.bottom;
  const top = scale === "log" ? [] : [ceiling(Math.max(...ys, 0))];
  const xEnds = scale === "log" ? xs : [...xs, 1];
  const xAxis = axisOf(scale, xEnds, [margin.left, width - margin.right]);
  const yAxis = axisOf(scale, [...(scale === "log" ? ys : []), ...top], [bottom, margin.top]);
  const atX = (x: number) => round(xAxis.at(x));
  const atY = (y: number) => round(yAxis.at(y));
  const grid = yAxis.ticks.map(
    (y) =>
      `${line(margin.left, atY(y), width - margin.right, atY(y), colours.grid)}\n` +
      text(margin.left - 6, atY(y) + 4, short(y), 'text-anchor="end"'),
  );
  const span = Math.max(...xEnds) - Math.min(...xEnds, 0);
  const usualTicks = xAxis.ticks
    .filter((x) => Number.isInteger(x) || span < 4)
    .map((x) => ({ x, label: short(x) }));
  const xTicks = (panel.xTicks ?? usualTicks).map(({ x, label }) =>
    text(atX(x), bottom + 16, label, 'text-anchor="middle"'),
  );
  const middle = (Math.min(...xEnds, 0) + Math.max(...xEnds)) / 2;
  const flags = marks.map(({ x, label }, index) => {
    // On the side where there is room.
    const early = x < middle;
    const place = `text-anchor="${early ? "start" : "end"}" fill="${colours.mark}"`;
    return [
      line(atX(x), margin.top, atX(x), bottom, colours.mark, 'stroke-dasharray="4 3"'),
      text(atX(x) + (early ? 4 : -4), margin.top + 10 + 12 * index, label, place),
    ].join("\n");
  });
  const drawLine = (of: readonly Point[], colour: Readonly<Record<"line" | "spread", string>>) => [
    ...of.flatMap(({ x, low, high }) =>
      low === undefined || high === undefined
        ? []
        : [line(atX(x), atY(low), atX(x), atY(high), colour.spread, 'stroke-width="3"')],
    ),
    `<polyline points="${of.map(({ x, y }) => `${atX(x)},${atY(y)}`).join(" ")}" fill="none" stroke="${colour.line}" stroke-width="1.5"/>`,
    ...of.map(
      ({ x, y }) => `<circle cx="${atX(x)}" cy="${atY(y)}" r="2.5" fill="${colour.line}"/>`,
    ),
  ];
  const legend =
    beside === undefined
      ? []
      : [
          text(width - margin.right, 18, beside.own, `text-anchor="end" fill="${colours.line}"`),
          text(
            width - margin.right,
            34,
            beside.other,
            `text-anchor="end" fill="${besideColours.line}"`,
          ),
        ];
  return [
    text(margin.left, 18, title, 'font-weight="bold"'),
    text(margin.left, 34, yLabel, `fill="${colours.axis}"`),
    text(width - margin.right, bottom + 32, xLabel, `text-anchor="end" fill="${colours.axis}"`),
    ...legend,
    ...grid,
    ...xTicks,
    ...(beside === undefined ? [] : drawLine(beside.points, besideColours)),
    ...drawLine(points, colours),
    ...flags,
  ].join("\n");
}

function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  return size >= 1e4
    ? `${Number((value / 1e3).toPrecision(3))}k`
    : `${Number(value.toPrecision(3))}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, more = ""): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" ${more}/>`;
}

function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${x}" y="${y}" ${more}>${escape(words)}</text>`;
}

function escape(words: string): string {
  return words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
