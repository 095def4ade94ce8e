/**
 * Reads the values of a logging configuration: each function takes a value and its place, and refuses with the place in
 * front.
 */
import { ConfigError } from "../../api/errors.ts";
import type { LogLevel } from "../lines/line-format.ts";

export type Values = Readonly<Record<string, unknown>>;

export function refuse(place: string, why: string): never {
  throw new ConfigError(`${place}: ${why}`);
}

export function got(value: unknown): string {
  return typeof value === "string" ? `'${value}'` : Bun.inspect(value, { compact: true, depth: 1 });
}

/** An object; undefined counts as an empty one. */
export function readObject(value: unknown, place: string): Values {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Values;
  return refuse(place, `must be an object, got ${got(value)}`);
}

export function readText(value: unknown, place: string): string {
  return typeof value === "string" ? value : refuse(place, `must be text, got ${got(value)}`);
}

export function readCount(value: unknown, place: string): number {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  return refuse(place, `must be a whole number from 0 on, got ${got(value)}`);
}

export function readBoolean(value: unknown, place: string): boolean {
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  return refuse(place, `must be true or false, got ${got(value)}`);
}

export function readNames(value: unknown, place: string): readonly string[] {
  if (!Array.isArray(value)) return refuse(place, `must be a list of names, got ${got(value)}`);
  return value.map((name) => readText(name, place));
}

const levels: Readonly<Record<string, LogLevel>> = {
  NOTSET: "debug",
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warning",
  WARN: "warning",
  ERROR: "error",
  CRITICAL: "critical",
  FATAL: "critical",
};

const levelNumbers: Readonly<Record<number, LogLevel>> = {
  0: "debug",
  10: "debug",
  20: "info",
  30: "warning",
  40: "error",
  50: "critical",
};

/** Python's words, in any case, and its numbers. */
export function readLevel(value: unknown, place: string): LogLevel {
  const level =
    typeof value === "string"
      ? levels[value.toUpperCase()]
      : typeof value === "number"
        ? levelNumbers[value]
        : undefined;
  const words = "DEBUG, INFO, WARNING, ERROR, CRITICAL or NOTSET";
  return level ?? refuse(place, `must be ${words}, got ${got(value)}`);
}

/** Refuses what isn't among the names: nothing is ignored. */
export function allowOnly(values: Values, names: readonly string[], place: string): void {
  for (const name of Object.keys(values)) {
    if (!names.includes(name)) {
      refuse(`${place}: ${name}`, `isn't supported; supported are ${names.join(", ")}`);
    }
  }
}
