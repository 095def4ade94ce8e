/**
 * An app's own metrics, as prom-client's getMetricsAsJSON() gives them: those of all workers become one family each, by the
 * rules of its AggregatorRegistry. What workers that have gone have counted stays, which is more than that does. Pure.
 */
import { type Described, type Format, writeHead, writeSample } from "./open-metrics.ts";

export interface AppValue {
  /** Where it isn't the family's name: `_bucket`, `_sum` and `_count` of it. */
  readonly metricName: string | null;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export interface AppFamily extends Pick<Described, "name" | "help"> {
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly aggregator: Aggregator;
  readonly values: readonly AppValue[];
}

/** How the values of workers become one: prom-client's words. */
type Aggregator = keyof typeof aggregators;

const aggregators = {
  sum: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0),
  first: (values: readonly number[]) => values[0] ?? 0,
  min: (values: readonly number[]) => values.reduce((least, value) => Math.min(least, value)),
  max: (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value)),
  average: (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length,
  /** The family isn't shown. */
  omit: () => 0,
} as const;

const types: readonly unknown[] = ["counter", "gauge", "histogram", "summary"];
const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Reads what a worker has sent of its registry.
 * @returns the families, or one sentence about what is wrong
 */
export function readFamilies(json: unknown): readonly AppFamily[] | string {
  if (!Array.isArray(json)) return "its metrics are no list";
  const families: AppFamily[] = [];
  for (const each of json as readonly unknown[]) {
    const family = readFamily(each);
    if (typeof family === "string") return family;
    families.push(family);
  }
  return families;
}

function readFamily(json: unknown): AppFamily | string {
  if (typeof json !== "object" || json === null) return "a metric is no object";
  const { name, help, type, aggregator = "sum", values } = json as Record<string, unknown>;
  if (typeof name !== "string" || !namePattern.test(name))
    return `a metric has no name: ${String(name)}`;
  if (!types.includes(type)) return `${name}: its type is unknown: ${String(type)}`;
  if (typeof aggregator !== "string" || !Object.hasOwn(aggregators, aggregator))
    return `${name}: its aggregator is unknown: ${String(aggregator)}`;
  if (!Array.isArray(values)) return `${name}: its values are no list`;
  const read = (values as readonly unknown[]).map(readValue);
  if (read.includes(null)) return `${name}: a value is none`;
  return {
    name,
    help: String(help ?? ""),
    type: type as AppFamily["type"],
    aggregator: aggregator as Aggregator,
    values: read as readonly AppValue[],
  };
}

function readValue(json: unknown): AppValue | null {
  if (typeof json !== "object" || json === null) return null;
  const { value, labels = {}, metricName = null } = json as Record<string, unknown>;
  if (typeof value !== "number" || typeof labels !== "object" || labels === null) return null;
  if (metricName !== null && !(typeof metricName === "string" && namePattern.test(metricName)))
    return null;
  if (!Object.keys(labels).every((label) => labelPattern.test(label))) return null;
  return { metricName, value, labels: labels as AppValue["labels"] };
}

/** One family of each name. @param workers the families of each, in the order of their births */
export function aggregate(workers: readonly (readonly AppFamily[])[]): readonly AppFamily[] {
  const byName = Map.groupBy(workers.flat(), ({ name }) => name);
  return [...byName.values()].flatMap((alike) => {
    const [first] = alike as [AppFamily];
    if (first.aggregator === "omit") return [];
    const join = aggregators[first.aggregator];
    const byLabels = Map.groupBy(
      alike.flatMap(({ values }) => values),
      keyOf,
    );
    const values = [...byLabels.values()].map((same) => {
      const [one] = same as [AppValue];
      return { ...one, value: join(same.map(({ value }) => value)) };
    });
    return [{ ...first, values }];
  });
}

/** So many values of workers that have gone are kept: an app may have labels that never come back. */
const departedLimit = 20_000;

/** What workers that have gone have counted, joined to what others had before. */
export function depart(
  departed: readonly AppFamily[],
  gone: readonly AppFamily[],
): readonly AppFamily[] {
  const joined = aggregate([departed, counted(gone)]);
  let room = departedLimit;
  return joined.map((family) => {
    const values = family.values.slice(0, room);
    room -= values.length;
    return { ...family, values };
  });
}

/** What only goes up: a gauge, and the quantiles of a summary, are of those who live. */
function counted(families: readonly AppFamily[]): readonly AppFamily[] {
  return families.flatMap((family) => {
    const { type, aggregator, values } = family;
    if (type === "gauge" || aggregator !== "sum") return [];
    if (type !== "summary") return [family];
    return [{ ...family, values: values.filter(({ labels }) => !("quantile" in labels)) }];
  });
}

function keyOf({ metricName, labels }: AppValue): string {
  const pairs = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([metricName, pairs]);
}

/** Those that can stand beside the server's own, and the names of those that can't: a name may be there once. */
export function separate(
  own: readonly Pick<Described, "name">[],
  families: readonly AppFamily[],
): { readonly shown: readonly AppFamily[]; readonly hidden: readonly string[] } {
  const taken = new Set(own.map(({ name }) => name));
  const hidden: string[] = [];
  const shown = families.filter(({ name, type }) => {
    const base = type === "counter" ? baseOf(name) : name;
    if (taken.has(base)) hidden.push(name);
    const free = !taken.has(base);
    taken.add(base);
    return free;
  });
  return { shown, hidden };
}

/** As OpenMetrics names the family of a counter. */
function baseOf(name: string): string {
  return name.replace(/_total$/, "");
}

export function writeAppFamilies(families: readonly AppFamily[], format: Format): string {
  return families.map((family) => writeAppFamily(family, format)).join("");
}

function writeAppFamily({ name, help, type, values }: AppFamily, format: Format): string {
  // In OpenMetrics a counter has the ending, and its family hasn't.
  const isOpenCounter = format === "openMetrics" && type === "counter";
  const family = isOpenCounter ? baseOf(name) : name;
  const lines = writeHead({ name: family, type, help }, format);
  for (const { metricName, labels, value } of values)
    lines.push(
      writeSample(metricName ?? (isOpenCounter ? `${family}_total` : name), labels, value, format),
    );
  return `${lines.join("\n")}\n`;
}
