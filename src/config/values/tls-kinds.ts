/** Kinds of what TLS is served with. The contract is that of kinds.ts. */
import { type Kind, quote, refuse, show } from "./kinds.ts";
import { ConfigError } from "../../api/errors.ts";

/** One certificate of several, which clients choose by the name that they ask for. */
export interface TlsEntry {
  readonly certfile: string;
  /** Null: certfile holds the key too. */
  readonly keyfile: string | null;
  /** In lower case; empty: the names that the certificate is for. */
  readonly servername: readonly string[];
}

/** How a configuration file writes it. */
export interface TlsEntryInput {
  readonly certfile: string;
  readonly keyfile?: string | null;
  readonly servername?: string | readonly string[] | null;
}

const range = "a list of { certfile, keyfile, servername }";

export const tlsEntries: Kind<readonly TlsEntry[], TlsEntryInput | readonly TlsEntryInput[]> = {
  takes: "list",
  metavar: "LIST",
  range,
  parse(value) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.map((item, index) => parseEntry(item, `[${index}]`));
  },
  show,
};

function parseEntry(value: unknown, place: string): TlsEntry {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse(range, value);
  const { certfile, keyfile = null, servername = null, ...rest } = value as Record<string, unknown>;
  const [stranger] = Object.keys(rest);
  if (stranger !== undefined)
    throw new ConfigError(`${place}: knows certfile, keyfile and servername, got ${stranger}`);
  return {
    certfile: parseText(certfile, `${place}.certfile`),
    keyfile: keyfile === null ? null : parseText(keyfile, `${place}.keyfile`),
    servername: parseNames(servername, `${place}.servername`),
  };
}

function parseNames(value: unknown, place: string): readonly string[] {
  if (value === null) return [];
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.map((item) => parseText(item, place).toLowerCase());
}

function parseText(value: unknown, place: string): string {
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw new ConfigError(`${place}: must be a text, got ${quote(value)}`);
}
