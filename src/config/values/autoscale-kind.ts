/** The kind of `autoscale`. The contract is that of kinds.ts. */
import { ConfigError } from "../../api/errors.ts";
import { type Facts, type Kind, quote, refuse, show, wholeNumber } from "./kinds.ts";

export interface Autoscale {
  readonly min: number;
  readonly max: number;
  /** In seconds. */
  readonly upAfter: number;
  readonly downAfter: number;
}

type Input =
  string | (Partial<Autoscale> & { readonly min: number; readonly max: number | "auto" });

/** Long enough that a burst, or the start of the worker before, is over. */
const usualUpAfter = 10;
/** A worker that is missed costs more than one that idles: traffic has to have gone, not to pause. */
const usualDownAfter = 120;
/** Samples come each second. */
const leastAfter = 2;
const mostAfter = 86_400;

const names = ["min", "max", "upAfter", "downAfter"];

export const autoscaleBounds: Kind<Autoscale | null, Input | null> = {
  takes: "value",
  metavar: "MIN..MAX",
  range: "MIN..MAX, or { min, max, upAfter, downAfter }; max may be auto",
  parse(value, facts) {
    if (value === null) return null;
    if (typeof value === "string") return check(fromText(value), facts);
    if (typeof value !== "object" || Array.isArray(value))
      return refuse("MIN..MAX or an object", value);
    const unknown = Object.keys(value).find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new ConfigError(`has ${names.join(", ")}, and no ${quote(unknown)}`);
    return check(value, facts);
  },
  show(value) {
    if (value === null) return "null";
    const { min, max, upAfter, downAfter } = value;
    const isUsual = upAfter === usualUpAfter && downAfter === usualDownAfter;
    return isUsual ? `${min}..${max}` : show(value);
  },
};

function fromText(text: string): Readonly<Record<string, unknown>> {
  const [, min, max] = /^\s*(\d+)\.\.(\d+|auto)\s*$/.exec(text) ?? [];
  return min === undefined ? refuse("MIN..MAX, as 2..8 or 1..auto", text) : { min, max };
}

function check(value: object, facts: Facts): Autoscale {
  const given = value as Readonly<Record<string, unknown>>;
  const { upAfter = usualUpAfter, downAfter = Math.max(usualDownAfter, Number(upAfter)) } = given;
  const min = within("min", given["min"], 1);
  const max = given["max"] === "auto" ? facts.cpuCount() : within("max", given["max"], 1);
  if (min > max) throw new ConfigError(`min must be at most max, got ${min}..${max}`);
  const seconds = {
    upAfter: within("upAfter", upAfter, leastAfter, mostAfter),
    downAfter: within("downAfter", downAfter, leastAfter, mostAfter),
  };
  if (seconds.downAfter < seconds.upAfter)
    throw new ConfigError(
      `downAfter must be at least upAfter, got ${seconds.downAfter} and ${seconds.upAfter}`,
    );
  return { min, max, ...seconds };
}

/** @throws ConfigError which names the part */
function within(
  name: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  try {
    const number = wholeNumber(value);
    if (number >= least && number <= most) return number;
    const range =
      most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `from ${least} to ${most}`;
    return refuse(range, number);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`${name} ${cause.message}`, { cause });
  }
}
