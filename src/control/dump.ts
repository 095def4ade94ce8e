/**
 * How a heap or a profile comes to whoever has asked for it: from the worker straight to a socket of the client, so
 * that the master holds none of it, and the client writes the file with its own rights. The worker sends the token as
 * soon as it has connected, then a line of JSON, then the bytes. Only client, master and worker know the token: the
 * socket's name, which everybody sees, follows from it.
 */
import { createHash } from "node:crypto";

export type DumpKind = "heap" | "profile";

/** What comes: so many bytes, or one sentence why there are none. */
export type DumpHead = { readonly bytes: number } | { readonly error: string };

export const tokenBytes = 32;
const longestLine = 4096;
const lineFeed = 0x0a;

/** An abstract name: no folder has to be common to both. */
export function dumpSocket(token: string): string {
  const name = createHash("sha256").update(token).digest("hex").slice(0, 32);
  return `\0gunicorn-ts-dump-${name}`;
}

export function isDumpToken(word: string): boolean {
  return /^[0-9a-f]{32}$/.test(word);
}

export function encodeDumpHead(head: DumpHead): Buffer {
  return Buffer.from(`${JSON.stringify(head)}\n`);
}

/** Reads the line behind the token; `rest` stands behind it. Null: it isn't complete. */
export function readDumpHead(
  bytes: Buffer,
): { readonly head: DumpHead; readonly rest: Buffer } | null {
  const end = bytes.indexOf(lineFeed);
  if (end === -1 && bytes.length < longestLine) return null;
  const rest = bytes.subarray(end + 1);
  return { head: parse(bytes.toString("utf8", 0, Math.max(0, end))), rest };
}

function parse(line: string): DumpHead {
  try {
    const { bytes, error } = JSON.parse(line) as Partial<Record<string, unknown>>;
    if (typeof error === "string") return { error };
    if (typeof bytes === "number" && Number.isSafeInteger(bytes)) return { bytes };
  } catch {
    // No JSON.
  }
  return { error: "It has another version" };
}
