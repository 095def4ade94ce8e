/** Kinds of what TLS is served with. The contract is that of kinds.ts. */
import { ConfigError } from "../../api/errors.ts";
import { type Kind, quote, refuse, show, text } from "./kinds.ts";

/** The path of a file; whether it is there is asked by whoever reads it. */
export const filePath: Kind<string> = nonEmpty("the path of a file");

export const cipherList: Kind<string> = nonEmpty("an OpenSSL list of ciphers");

function nonEmpty(range: string): Kind<string> {
  return {
    ...text,
    range,
    parse(value, facts) {
      const word = text.parse(value, facts);
      return word === "" ? refuse(range, value) : word;
    },
  };
}

const negotiated = "TLS";
const old = "Bun has nothing older than TLS 1.2";

/** Python's names without PROTOCOL_, and its numbers, in upper case: what they mean here, or why they mean nothing. */
const versionWords: Readonly<Record<string, SslVersion | { readonly refused: string }>> = {
  TLS: negotiated,
  TLS_SERVER: negotiated,
  SSLV23: negotiated,
  TLSV1_2: "TLSv1_2",
  TLSV1_3: "TLSv1_3",
  "2": negotiated,
  "17": negotiated,
  "5": "TLSv1_2",
  SSLV2: { refused: old },
  SSLV3: { refused: old },
  TLSV1: { refused: old },
  TLSV1_1: { refused: old },
  "0": { refused: old },
  "1": { refused: old },
  "3": { refused: old },
  "4": { refused: old },
  TLS_CLIENT: { refused: "it is for clients" },
  "16": { refused: "it is for clients" },
};

/** TLS: all versions that there are; else one alone. */
export type SslVersion = "TLS" | "TLSv1_2" | "TLSv1_3";

export const sslVersion: Kind<SslVersion, string | number> = {
  takes: "value",
  metavar: "STRING",
  range: "TLS, TLSv1_2 or TLSv1_3",
  parse(value) {
    const word = typeof value === "number" ? String(value) : value;
    const name = typeof word === "string" ? word.trim().toUpperCase() : "";
    const found = versionWords[name.replace(/^PROTOCOL_/, "")];
    if (typeof found === "string") return found;
    const got = found === undefined ? quote(value) : `${quote(value)}: ${found.refused}`;
    throw new ConfigError(`must be TLS, TLSv1_2 or TLSv1_3, got ${got}`);
  },
  show,
};

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
