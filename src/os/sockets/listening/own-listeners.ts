/** Where this process itself listens, as far as the system tells. Linux only; a help, which never throws. */
import { readdirSync, readlinkSync } from "node:fs";
import { tcpSockets } from "./port-holder.ts";
import { listening, mappedV4 } from "./sock-diag.ts";

/**
 * The TCP addresses that this process listens on, `127.0.0.1:3000` or `[::]:3000`.
 * @param inherited descriptors of sockets that don't count
 */
export function ownListeners(inherited: readonly number[]): string[] {
  try {
    const known = new Set(inherited.map((fd) => readlinkSync(`/proc/self/fd/${fd}`)));
    const own = new Set(socketLinks().filter((link) => !known.has(link)));
    if (own.size === 0) return [];
    return tcpSockets(listening, 0, () => false)
      .filter(({ inode }) => own.has(`socket:[${inode}]`))
      .map(({ address, port }) => `${addressOf(address)}:${port}`);
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

/** The address of 32 hexadecimal digits. */
function addressOf(digits: string): string {
  if (digits.startsWith(mappedV4)) return [...Buffer.from(digits.slice(24), "hex")].join(".");
  const groups = digits.match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname;
}
