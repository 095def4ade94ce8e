/**
 * Which process holds an address that is in use, by what /proc tells. A help for the operator's log: whatever can't be
 * read (another user's process, no /proc) is left out, and nothing here throws.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What is in use: a TCP address, numeric, or the path of a unix socket, with NUL in front for an abstract name. */
export type HeldAddress =
  { readonly hostname: string; readonly port: number } | { readonly path: string };

interface Listening {
  readonly inode: string;
  /** The owner; null for unix sockets, whose table doesn't tell. */
  readonly uid: number | null;
}

/** The state LISTEN in /proc/net/tcp. */
const listenState = "0A";

/** How much of a process's name the kernel keeps: TASK_COMM_LEN without its NUL. */
const commLength = 15;

/** Thousands of processes may be looked at: after so long the search ends without an answer. */
const searchLimitMs = 200;

/** In words, `nginx (pid:812) and 3 more`, or whose process it is; null when the system doesn't tell. */
export function describeHolder(address: HeldAddress): string | null {
  const sockets = "path" in address ? unixSockets(address.path) : tcpSockets(address);
  if (sockets.length === 0) return null;
  const pids = pidsOf(new Set(sockets.map(({ inode }) => `socket:[${inode}]`)));
  const [first, ...others] = pids;
  if (first !== undefined) {
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    return `${commandOf(first)} (pid:${first})${more}`;
  }
  const uid = sockets.find((socket) => socket.uid !== null)?.uid ?? null;
  return uid === null || uid === process.getuid?.() ? null : `a process of user ${uid}`;
}

/** Listening sockets that the address would overlap. */
function tcpSockets({ hostname, port }: { hostname: string; port: number }): Listening[] {
  const wanted = canonical(hostname);
  const rows = [...readTable("/proc/net/tcp"), ...readTable("/proc/net/tcp6")];
  return rows.flatMap(([, local = "", , state, , , , uid, , inode = ""]) => {
    const [hexAddress = "", hexPort = ""] = local.split(":");
    if (state !== listenState || Number.parseInt(hexPort, 16) !== port) return [];
    const held = decodeAddress(hexAddress);
    const overlaps = held === wanted || isWildcard(held) || isWildcard(wanted);
    return overlaps ? [{ inode, uid: Number(uid) }] : [];
  });
}

function unixSockets(path: string): Listening[] {
  const name = path.replace(/^\0/, "@");
  return readTable("/proc/net/unix")
    .filter((fields) => fields.slice(7).join(" ") === name)
    .map(([, , , , , , inode = ""]) => ({ inode, uid: null }));
}

/** The fields of each row, without the table's heading. */
function readTable(file: string): string[][] {
  return readText(file)
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => line.trim().split(/\s+/));
}

/** The text of an address that /proc gives in hexadecimal words of the machine's byte order. */
function decodeAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, "hex")].toReversed());
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    Buffer.from(bytes.slice(index * 2, index * 2 + 2)).toString("hex"),
  );
  return canonical(groups.join(":"));
}

/** One text for each address; an IPv4 one that is mapped into IPv6 is the IPv4 one. */
function canonical(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const text = URL.parse(`http://[${hostname}]`)?.hostname.slice(1, -1) ?? hostname;
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text);
  if (mapped === null) return text;
  const [high, low] = [mapped[1], mapped[2]].map((word) => Number.parseInt(word ?? "", 16));
  return [high! >> 8, high! & 255, low! >> 8, low! & 255].join(".");
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** The processes that have one of the sockets open, as far as this user may see, in the order of their numbers. */
function pidsOf(links: ReadonlySet<string>): number[] {
  const end = performance.now() + searchLimitMs;
  const pids = list("/proc").filter((name) => /^\d+$/.test(name));
  const found = pids.map(Number).sort((one, other) => one - other);
  return found.filter((pid) => performance.now() < end && holdsOne(pid, links));
}

function holdsOne(pid: number, links: ReadonlySet<string>): boolean {
  return list(`/proc/${pid}/fd`).some((fd) => {
    try {
      return links.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // ENOENT, EACCES: closed meanwhile, or somebody else's.
      return false;
    }
  });
}

/** Its short name; the kernel cuts it, and the whole of it begins the command line of a process that has set a title. */
function commandOf(pid: number): string {
  const name = readText(`/proc/${pid}/comm`).trim() || "a process";
  if (name.length < commLength) return name;
  const [title = ""] = readText(`/proc/${pid}/cmdline`).split("\0", 1);
  return title.startsWith(name) ? title : name;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // ENOENT, EACCES, EMFILE: nothing is known then.
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // As above.
    return "";
  }
}
