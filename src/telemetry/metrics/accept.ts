/** Which format a client wants its metrics in, by its Accept (RFC 9110 §12.5.1). */
import type { Format } from "./open-metrics.ts";

/** @param accept the field's value; null without it. OpenMetrics, unless the client likes plain text better. */
export function wantedFormat(accept: string | null): Format {
  const ranges = (accept ?? "").toLowerCase().split(",").map(readRange);
  const open = quality(ranges, ["application/openmetrics-text"]);
  const plain = quality(ranges, ["text/plain", "text/*"]);
  return plain > open ? "prometheus" : "openMetrics";
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function readRange(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim());
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = weight === undefined ? 1 : Number(weight.slice(2));
  return { type, quality: Number.isFinite(quality) ? quality : 0 };
}

/** Of the types that are named; 0 if none is. */
function quality(ranges: readonly Range[], types: readonly string[]): number {
  return ranges.reduce(
    (best, range) => (types.includes(range.type) ? Math.max(best, range.quality) : best),
    0,
  );
}
