/** What the log hears of certificates: which are served, which are about to expire, and which can't be used. Pure. */
import type { LogLevel } from "../../log/error-log.ts";
import type { CertificateFacts } from "../../tls/describe.ts";

export interface Line {
  readonly level: LogLevel;
  readonly message: string;
}

const dayMs = 86_400_000;
const warnDays = 14;
/** Written before the key, a certificate is in the way for a moment. */
export const patienceMs = 5000;
/** Time mends some faults, without a change of any file: a certificate that isn't valid yet, a file system that was away. */
export const repeatMs = 60_000;

/** What the log has heard of the expiry of each certificate, by fingerprint. */
export type Told = ReadonlyMap<string, { readonly level: LogLevel; readonly atMs: number }>;

/**
 * Of certificates that expire within 14 days, or have: a line for each, once a day.
 * @param nowMs since 1970
 */
export function tellExpiry(
  certificates: readonly CertificateFacts[],
  told: Told,
  nowMs: number,
): { readonly lines: readonly Line[]; readonly told: Told } {
  const lines: Line[] = [];
  const heard = new Map<string, { level: LogLevel; atMs: number }>();
  for (const certificate of certificates) {
    const line = expiryLine(certificate, nowMs);
    if (line === null) continue;
    const { fingerprint } = certificate;
    const last = told.get(fingerprint);
    const again = last?.level !== line.level || nowMs - last.atMs >= dayMs;
    if (again) lines.push(line);
    heard.set(fingerprint, { level: line.level, atMs: again ? nowMs : last.atMs });
  }
  return { lines, told: heard };
}

function expiryLine({ name, expiresMs }: CertificateFacts, nowMs: number): Line | null {
  const leftMs = expiresMs - nowMs;
  const end = timeOf(expiresMs);
  if (leftMs <= 0) return { level: "error", message: `TLS certificate expired on ${end}: ${name}` };
  if (leftMs > warnDays * dayMs) return null;
  const days = Math.floor(leftMs / dayMs);
  const left = days === 0 ? "less than a day" : days === 1 ? "1 day" : `${days} days`;
  return { level: "warning", message: `TLS certificate expires in ${left}, on ${end}: ${name}` };
}

/** What is new of what is served, a line each; `before` is null at the start. */
export function tellServed(
  certificates: readonly CertificateFacts[],
  before: readonly CertificateFacts[] | null,
): string[] {
  const known = new Set(before?.map(({ fingerprint }) => fingerprint));
  const what = before === null ? "TLS certificate" : "TLS certificate renewed";
  const lines = certificates
    .filter(({ fingerprint }) => !known.has(fingerprint))
    .map(({ name, expiresMs }) => `${what}: ${name}, valid until ${timeOf(expiresMs)}`);
  return lines.length > 0 ? lines : ["TLS settings renewed, with the same certificates"];
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Files that have changed and can't be served with. */
export interface Fault {
  readonly problem: string;
  readonly sinceMs: number;
  readonly told: boolean;
}

export interface Look {
  readonly fault: Fault | null;
  readonly line: Line | null;
  /** After how long to look once more; null: at the next change. */
  readonly againMs: number | null;
}

/**
 * What follows from a look at files that have changed: a fault that stays for a while is told once.
 * @param problem why they can't be served with; null: they can
 */
export function afterLook(last: Fault | null, problem: string | null, nowMs: number): Look {
  if (problem === null) return { fault: null, line: null, againMs: null };
  const fault = last?.problem === problem ? last : { problem, sinceMs: nowMs, told: false };
  if (fault.told) return { fault, line: null, againMs: repeatMs };
  if (nowMs - fault.sinceMs < patienceMs) return { fault, line: null, againMs: patienceMs };
  const message = `TLS certificates aren't renewed, those of before stay: ${problem}`;
  const line = { level: "warning", message } as const;
  return { fault: { ...fault, told: true }, line, againMs: repeatMs };
}
