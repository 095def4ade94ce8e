/** Writes metrics as text: OpenMetrics 1.0, or the older format that Prometheus began with. Pure. */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** How often what was observed was so much, or less. */
export interface Distribution {
  readonly labels: Labels;
  /** The upper bounds, rising, and how many were in each bucket alone; the last one is for what is above all bounds. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface Described {
  /** Without the endings that the format gives it: `_total`, `_bucket`, `_info`. It ends with its unit, if it has one. */
  readonly name: string;
  readonly unit?: "seconds" | "bytes";
  readonly help: string;
}

/** All metrics of a name. `info`: facts as labels, with the value 1. */
export type Family = Described &
  (
    | { readonly type: "counter" | "gauge" | "info"; readonly samples: readonly Sample[] }
    | { readonly type: "histogram"; readonly samples: readonly Distribution[] }
  );

export const formats = {
  openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
} as const;

export type Format = keyof typeof formats;

/** @param more families that are written already */
export function writeMetrics(families: readonly Family[], format: Format, more = ""): string {
  const written = families.map((family) => writeFamily(family, format));
  return written.join("") + more + (format === "openMetrics" ? "# EOF\n" : "");
}

const endings = { counter: "_total", gauge: "", info: "_info", histogram: "" } as const;

function writeFamily(family: Family, format: Format): string {
  const { type } = family;
  const name = family.name + endings[type];
  const isOpen = format === "openMetrics";
  // In OpenMetrics a family's name is without the ending, in the older format it is with it.
  const described = isOpen ? family.name : name;
  const shownType = !isOpen && type === "info" ? "gauge" : type;
  const lines = writeHead({ ...family, name: described, type: shownType }, format);
  if (type === "histogram") {
    for (const sample of family.samples) lines.push(...distributionLines(name, sample));
  } else {
    for (const { labels, value } of family.samples) lines.push(line(name, labels, value));
  }
  return `${lines.join("\n")}\n`;
}

/** The lines above a family's samples. */
export function writeHead(
  { name, type, unit, help }: Described & { readonly type: string },
  format: Format,
): string[] {
  const isOpen = format === "openMetrics";
  const lines = [`# TYPE ${name} ${type}`];
  if (isOpen && unit !== undefined) lines.push(`# UNIT ${name} ${unit}`);
  lines.push(`# HELP ${name} ${escapeHelp(help, isOpen)}`);
  return lines;
}

function distributionLines(
  name: string,
  { labels, bounds, counts, sum }: Distribution,
): readonly string[] {
  let total = 0;
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, index) => {
    total += counts[index] ?? 0;
    return line(`${name}_bucket`, { ...labels, le: float(bound) }, total);
  });
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, total)];
}

/** One line; a number as a label is the bound of a bucket, or a quantile: OpenMetrics wants it as a fraction. */
export function writeSample(
  name: string,
  labels: Readonly<Record<string, string | number>>,
  value: number,
  format: Format,
): string {
  const texts = Object.entries(labels).map(([key, label]) => [
    key,
    typeof label === "number" && format === "openMetrics" ? float(label) : String(label),
  ]);
  return line(name, Object.fromEntries(texts) as Labels, value);
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}`;
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

/** The bound of a bucket: OpenMetrics wants the same text everywhere, `1.0` and not `1`. */
function float(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : number(value);
}

function escapeLabel(text: string): string {
  // Few have any of them, and each scrape writes a hundred.
  if (!/[\\\n"]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** The older format knows no quotation mark in a help. */
function escapeHelp(text: string, isOpen: boolean): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return isOpen ? escaped.replaceAll('"', '\\"') : escaped;
}
