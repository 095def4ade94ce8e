/** Kinds that belong to one setting or two. The contract is that of kinds.ts. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { isIPv4, isIPv6 } from "../../net/ip-address.ts";
import { ConfigError } from "../../api/errors.ts";
import {
  boolean,
  commaList,
  integer,
  type Kind,
  quote,
  refuse,
  show,
  text,
  textList,
} from "./kinds.ts";

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** A directory to change to: absolute from here on. */
export const startDirectory: Kind<string> = {
  ...text,
  metavar: "DIR",
  range: "an existing directory",
  parse(value, facts) {
    const path = resolve(facts.cwd, text.parse(value, facts));
    if (!isDirectory(path)) throw new ConfigError(`can't chdir to ${quote(value)}`);
    return path;
  },
};

export const existingDirectory: Kind<string> = {
  ...startDirectory,
  parse(value, facts) {
    const path = resolve(facts.cwd, text.parse(value, facts));
    return isDirectory(path) ? path : refuse("an existing directory", value);
  },
};

/** Paths that exist, and patterns: absolute from here on. */
export const watchedFiles: Kind<readonly string[], string | readonly string[]> = {
  ...textList,
  metavar: "FILES",
  range: "existing files or directories, or patterns",
  parse(value, facts) {
    return textList.parse(value, facts).map((item) => {
      const path = resolve(facts.cwd, item);
      if (!existsSync(path) && !/[*?[]/.test(item)) {
        throw new ConfigError(`File ${quote(item)} doesn't exist`);
      }
      return path;
    });
  },
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

const maxRequestFields = 32_768;

const fieldCount = integer({ max: maxRequestFields, zero: `acts as ${maxRequestFields}` });

/** 0 means the maximum, as in Gunicorn. */
export const requestFieldCount: Kind<number> = {
  ...fieldCount,
  parse: (value, facts) => fieldCount.parse(value, facts) || maxRequestFields,
};

/** The bits of an IP address, most significant first. */
function addressBits(address: string): string {
  if (isIPv4(address)) {
    return address
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  }
  const v4 = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const words = v4
    ? address.slice(0, v4.index) +
      [v4.slice(1, 3), v4.slice(3, 5)]
        .map(([high, low]) => (Number(high) * 256 + Number(low)).toString(16))
        .join(":")
    : address;
  const [left = "", right] = words.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const middle = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...(right === undefined ? [] : middle), ...tail]
    .map((word) => Number.parseInt(word, 16).toString(2).padStart(16, "0"))
    .join("");
}

function checkNetwork(item: string): void {
  if (item === "*") return;
  const [address = "", prefix, ...rest] = item.split("/");
  const known = isIPv4(address) || isIPv6(address);
  const bits = known ? addressBits(address) : "";
  if (!known || rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) {
    refuse("IP addresses, networks (10.0.0.0/8) or *", item);
  }
  const length = prefix === undefined ? bits.length : Number(prefix);
  if (length > bits.length) refuse(`a network with a prefix of at most ${bits.length}`, item);
  if (bits.slice(length).includes("1")) refuse("a network without host bits", item);
}

/** Peers: IP addresses, networks without host bits, or `*`. */
export const addresses: Kind<readonly string[], string | readonly string[]> = {
  ...commaList,
  range: "IP addresses and networks (10.0.0.0/8), comma-separated, or *",
  parse(value, facts) {
    const items = commaList.parse(value, facts);
    for (const item of items) checkNetwork(item);
    return items;
  },
};

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

const proxyModes: Readonly<Record<string, ProxyMode>> = {
  off: "off",
  false: "off",
  "0": "off",
  none: "off",
  auto: "auto",
  true: "auto",
  "1": "auto",
  v1: "v1",
  v2: "v2",
};

export type ProxyMode = "off" | "auto" | "v1" | "v2";

export const proxyMode: Kind<ProxyMode, ProxyMode | boolean> = {
  takes: "optional",
  metavar: "MODE",
  range: "off, v1, v2 or auto",
  bare: "auto",
  parse(value) {
    const word = typeof value === "boolean" ? String(value) : value;
    const mode = typeof word === "string" ? proxyModes[word.trim().toLowerCase()] : undefined;
    return mode ?? refuse("off, v1, v2 or auto", value);
  },
  show,
};

const protocols = ["h1", "h2", "h3"];

export const httpProtocols: Kind<readonly string[], string | readonly string[]> = {
  ...commaList,
  range: "h1, h2 and h3, comma-separated",
  parse(value, facts) {
    const items = commaList.parse(value, facts);
    for (const item of items) if (!protocols.includes(item)) refuse("h1, h2 or h3", item);
    if (new Set(items).size < items.length) refuse("different protocols", value);
    return items.length === 0 ? ["h1"] : items;
  },
};

/** A switch of Gunicorn's, or of a fork, for what is always so here. */
export function alwaysOn(because: string): Kind<boolean> {
  return {
    ...boolean,
    range: "true",
    parse(value, facts) {
      if (boolean.parse(value, facts)) return true;
      throw new ConfigError(`can't be off: ${because}`);
    },
  };
}

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

/** Addresses; which forms they have is known to src/listen. */
export const bindList: Kind<readonly string[], string | readonly string[]> = {
  ...textList,
  parse(value, facts) {
    const items = textList.parse(value, facts);
    return items.length === 0 ? refuse("at least one address", value) : items;
  },
};
