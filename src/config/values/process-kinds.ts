/** Kinds of what a process has: its user, its environment, its memory. The contract is that of kinds.ts. */
import { type Kind, refuse, show, text, textList } from "./kinds.ts";

/** A user or group: a number or a name; names are looked up when the setting is used. */
export const account: Kind<number | string> = {
  ...text,
  range: "a number or a name",
  parse(value, facts) {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    const name = text.parse(value, facts);
    return /^\d+$/.test(name) ? Number(name) : name;
  },
  show,
};

/** KEY=VALUE pairs, as they are. */
export const environment: Kind<readonly string[], string | readonly string[]> = {
  ...textList,
  metavar: "ENV",
  range: "KEY=VALUE, or a list of them",
  parse(value, facts) {
    // Not textList's own parsing: blanks around a value are part of it.
    const items = Array.isArray(value) ? value : textList.parse(value, facts);
    return items.map((item: unknown) => {
      if (typeof item !== "string" || item.indexOf("=") < 1) refuse("KEY=VALUE", item);
      return item as string;
    });
  },
};

const unitBytes: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** A number of bytes, or of K, M or G of them (1024, 1024 * 1024, ...); `zero`: what 0 means. */
export function byteCount(zero: string, leastBytes: number): Kind<number, number | string> {
  const must = `a number of bytes, or a number with K, M or G`;
  const least = `0 (${zero}), or at least ${leastBytes / unitBytes["M"]!}M`;
  return {
    takes: "value",
    metavar: "BYTES",
    range: `${must}; ${least}`,
    parse(value) {
      const [, digits, unit = ""] = /^([0-9]+)([KMG]?)$/i.exec(String(value).trim()) ?? [];
      if (digits === undefined) return refuse(must, value);
      const bytes = Number(digits) * (unitBytes[unit.toUpperCase()] ?? 1);
      return bytes !== 0 && bytes < leastBytes ? refuse(least, value) : bytes;
    },
    show,
  };
}
