/** The load generators by name: `--driver`. */
import { BenchError } from "../errors.ts";
import type { Driver } from "./driver.ts";
import { oha } from "./oha.ts";
import { wrk } from "./wrk.ts";

const drivers: readonly Driver[] = [wrk, oha];

export const driverFlag = {
  type: "string",
  valueHint: "NAME",
  description: `The load generator: ${drivers.map(({ name }) => name).join(" or ")}`,
  default: "wrk",
} as const;

/** The driver of that name; throws BenchError for another name. */
export function selectDriver(name: string): Driver {
  const found = drivers.find((driver) => driver.name === name);
  if (found !== undefined) return found;
  const known = drivers.map((driver) => driver.name).join(" or ");
  throw new BenchError(`--driver: must be ${known}, got ${name}`);
}
