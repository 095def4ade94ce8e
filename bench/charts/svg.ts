/** Line charts as SVG, a panel for each: made by hand, to be opened in any browser. */

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly points: readonly Point[];
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

function renderPanel({ title, xLabel, yLabel, points, marks = [] }: Panel): string {
  const xs = [...points.map(({ x }) => x), ...marks.map(({ x }) => x)];
  const [left, right] = [Math.min(...xs, 0), Math.max(...xs, 1)];
  const top = ceiling(Math.max(...points.map(({ y, high = y }) => Math.max(y, high)), 0));
  const atX = (x: number) => round(scale(x, left, right, margin.left, width - margin.right));
  const atY = (y: number) => round(scale(y, 0, top, height - margin.bottom, margin.top));
  const grid = ticks(0, top).map(
    (y) =>
      `${line(margin.left, atY(y), width - margin.right, atY(y), colours.grid)}\n` +
      text(margin.left - 6, atY(y) + 4, short(y), 'text-anchor="end"'),
  );
  const bottom = height - margin.bottom;
  const xTicks = ticks(left, right)
    .filter((x) => Number.isInteger(x) || right - left < 4)
    .map((x) => text(atX(x), bottom + 16, short(x), 'text-anchor="middle"'));
  const flags = marks.map(({ x, label }, index) => {
    // On the side where there is room.
    const early = x < (left + right) / 2;
    const place = `text-anchor="${early ? "start" : "end"}" fill="${colours.mark}"`;
    return [
      line(atX(x), margin.top, atX(x), bottom, colours.mark, 'stroke-dasharray="4 3"'),
      text(atX(x) + (early ? 4 : -4), margin.top + 10 + 12 * index, label, place),
    ].join("\n");
  });
  const spreads = points.flatMap(({ x, low, high }) =>
    low === undefined || high === undefined
      ? []
      : [line(atX(x), atY(low), atX(x), atY(high), colours.spread, 'stroke-width="3"')],
  );
  const path = points.map(({ x, y }) => `${atX(x)},${atY(y)}`).join(" ");
  const dots = points.map(
    ({ x, y }) => `<circle cx="${atX(x)}" cy="${atY(y)}" r="2.5" fill="${colours.line}"/>`,
  );
  return [
    text(margin.left, 18, title, 'font-weight="bold"'),
    text(margin.left, 34, yLabel, `fill="${colours.axis}"`),
    text(width - margin.right, bottom + 32, xLabel, `text-anchor="end" fill="${colours.axis}"`),
    ...grid,
    ...xTicks,
    ...spreads,
    `<polyline points="${path}" fill="none" stroke="${colours.line}" stroke-width="1.5"/>`,
    ...dots,
    ...flags,
  ].join("\n");
}

function scale(value: number, from: number, to: number, start: number, end: number): number {
  return to === from ? start : start + ((value - from) / (to - from)) * (end - start);
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

/** The next of 1, 2, 5, 10, 20 ... */
function roundStep(step: number): number {
  if (!(step > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((each) => each * power >= step) ?? 10;
  return factor * power;
}

/** The end of an axis that holds the value. */
function ceiling(value: number): number {
  if (value <= 0) return 1;
  const step = roundStep(value / 5);
  return Math.ceil(value / step) * step;
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
