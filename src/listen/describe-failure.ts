/** Why an address can't be opened, in words for those who have chosen it. */
import { statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { type Address, formatTuple, withoutZone } from "../net/bind-address.ts";
import type { Holder, WantedAddress } from "../os/sockets/listening/port-holder.ts";

export interface Failure {
  /** For the log: it begins as Gunicorn's does. */
  readonly line: string;
  /** What is in the way or missing, for the end of all attempts. */
  readonly why: string;
  /** Whether another attempt may fare better. */
  readonly passes: boolean;
}

/** @param wanted what its name was looked up to be; null if that is what failed */
export async function describeFailure(
  error: unknown,
  address: Address,
  wanted: WantedAddress | null,
): Promise<Failure> {
  const tuple = formatTuple(address);
  const code = codeOf(error);
  if (code === "EADDRINUSE") {
    const { findHolder } = await import("../os/sockets/listening/port-holder.ts");
    const holder = wanted === null ? null : findHolder(wanted);
    const held = holder === null ? "" : `, held by ${describeHolder(holder)}`;
    const why = `it is in use${held}; choose another with -b ADDRESS`;
    return { line: `Connection in use: ${tuple}${held}`, why, passes: true };
  }
  const reason = error instanceof Error ? error.message : String(error);
  const why = explain(code, address, wanted);
  const hint = why === null ? "" : ` (${why})`;
  const line =
    code === "EADDRNOTAVAIL"
      ? `Invalid address: ${tuple}`
      : `connection to ${tuple} failed: ${reason}`;
  return { line: line + hint, why: why ?? reason, passes: mayPass(code, wanted) };
}

function mayPass(code: string, wanted: WantedAddress | null): boolean {
  // The resolver itself can't be reached yet.
  if (code === "EAI_AGAIN") return true;
  // RFC 4862 §5.4: a new address is tentative for a second or two, and can't be bound until then.
  return code === "EADDRNOTAVAIL" && wanted?.type === "tcp" && isOurs(wanted.hostname);
}

function isOurs(hostname: string): boolean {
  const ours = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return ours.some(({ address }) => address === withoutZone(hostname));
}

function explain(code: string, address: Address, wanted: WantedAddress | null): string | null {
  if (address.type === "unix") return explainPath(code, dirname(address.path));
  if (address.type !== "tcp") return null;
  const { hostname, port } = address;
  if (code === "ENOTFOUND") return `no address is known for the name ${hostname}`;
  if (code === "EACCES" && port < 1024)
    return "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE";
  if (wanted?.type !== "tcp") return null;
  const all = wanted.family === 6 ? "[::]" : "0.0.0.0";
  if (code === "EADDRNOTAVAIL")
    return `this machine has no address ${wanted.hostname}, ${all} stands for all that it has`;
  return code === "EAFNOSUPPORT" ? `this machine has no IPv${wanted.family}` : null;
}

function explainPath(code: string, folder: string): string | null {
  if (code === "ENOTDIR") return `${folder} is not a folder`;
  if (code === "EROFS") return `the folder ${folder} is on a read-only file system`;
  if (code === "EACCES") return `uid ${process.geteuid?.()} may not write to the folder ${folder}`;
  if (code === "ELOOP") return `the links of ${folder} go in circles`;
  if (code !== "ENOENT" || statSync(folder, { throwIfNoEntry: false }) !== undefined) return null;
  return `the folder ${folder} doesn't exist`;
}

function describeHolder(holder: Holder): string {
  if (holder.type === "user") return `a process of uid ${holder.uid}`;
  const { pid, command, others } = holder;
  const one = `${command} (pid:${pid})`;
  if (others === null || others === 0) return one;
  return `${one} and ${others} other ${others === 1 ? "process" : "processes"}`;
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}
