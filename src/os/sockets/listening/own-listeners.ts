/** Where this process itself listens, as far as /proc tells. Linux only; a help, which never throws. */
import { readdirSync, readlinkSync } from "node:fs";
import { canonical, linesWith, listeningState, tcpRow } from "./port-holder.ts";

const mappedV4 = /^0{20}ffff/;

/**
 * The TCP addresses that this process listens on, `127.0.0.1:3000` or `[::]:3000`.
 * @param inherited descriptors of sockets that don't count
 */
export function ownListeners(inherited: readonly number[]): string[] {
  try {
    const known = new Set(inherited.map((fd) => readlinkSync(`/proc/self/fd/${fd}`)));
    const own = new Set(socketLinks().filter((link) => !known.has(link)));
    return own.size === 0 ? [] : [...tcpAddresses("tcp", own), ...tcpAddresses("tcp6", own)];
  } catch {
    // No /proc, or no descriptor left to read it with.
    return [];
  }
}

function socketLinks(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const link = readlinkSync(`/proc/self/fd/${fd}`);
      return link.startsWith("socket:") ? [link] : [];
    } catch {
      // ENOENT: the descriptor that the folder was read with.
      return [];
    }
  });
}

function tcpAddresses(table: "tcp" | "tcp6", links: ReadonlySet<string>): string[] {
  const lines = linesWith(`/proc/net/${table}`, ` ${listeningState} `, () => false);
  return lines.flatMap((line) => {
    const [, words = "", port = "", state, , inode] = tcpRow.exec(line) ?? [];
    if (state !== listeningState || !links.has(`socket:[${inode}]`)) return [];
    return [`${addressOf(canonical(words))}:${Number.parseInt(port.slice(1), 16)}`];
  });
}

/** The address of 32 hexadecimal digits. */
function addressOf(digits: string): string {
  if (mappedV4.test(digits)) return [...Buffer.from(digits.slice(24), "hex")].join(".");
  const groups = digits.match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname;
}
