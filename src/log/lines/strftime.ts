/** Python's time.strftime in the C locale, for `datefmt`. */
import { zoneOf } from "./local-time.ts";

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function nameOf(names: readonly string[], index: number): string {
  return names[index] ?? "";
}

function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (day - Date.UTC(date.getFullYear(), 0, 0)) / 86_400_000;
}

const codes: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()),
  y: (date) => two(date.getFullYear() % 100),
  m: (date) => two(date.getMonth() + 1),
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2),
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  M: (date) => two(date.getMinutes()),
  S: (date) => two(date.getSeconds()),
  z: zoneOf,
  b: (date) => nameOf(months, date.getMonth()).slice(0, 3),
  B: (date) => nameOf(months, date.getMonth()),
  a: (date) => nameOf(days, date.getDay()).slice(0, 3),
  A: (date) => nameOf(days, date.getDay()),
  j: (date) => String(dayOfYear(date)).padStart(3, "0"),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  F: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  T: (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  "%": () => "%",
};

/** Local time in a form of `%` codes, or the first code that isn't known. */
export function compileTime(
  form: string,
): { readonly format: (date: Date) => string } | { readonly unknown: string } {
  const unknown = [...form.matchAll(/%(.?)/gsu)].find(
    ([, code = ""]) => !Object.hasOwn(codes, code),
  );
  if (unknown !== undefined) return { unknown: unknown[0] };
  return {
    format: (date) => form.replace(/%(.)/gsu, (_all, code: string) => codes[code]?.(date) ?? ""),
  };
}
