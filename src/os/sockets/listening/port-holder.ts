/** Which process holds an address that is in use, as far as /proc tells this user. Linux only. */
import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { nameOfProcess, parentOf } from "../../processes.ts";
import { encodeTcp, type TcpName, type UnixName } from "../socket-address.ts";
import { bound, findSockets, listening, mappedV4, type TcpSocket } from "./sock-diag.ts";

/** What was to be bound. */
export type WantedAddress = (TcpName & { readonly v6only: boolean }) | UnixName;

/**
 * A process that holds the address, or, where its descriptors are not ours to read, the user that has opened the
 * socket.
 */
export type Holder =
  | {
      readonly type: "process";
      readonly pid: number;
      readonly command: string;
      /** How many more processes hold it; null if time ran out while they were counted. */
      readonly others: number | null;
    }
  | { readonly type: "user"; readonly uid: number };

interface Socket {
  readonly inode: string;
  /** Null for unix sockets, of which the kernel doesn't list it. */
  readonly uid: number | null;
  /** The likeliest to be in the way has the lowest. */
  readonly rank: number;
  /** The path of a unix socket; relative to the folder that its process was in, if that has bound it so. */
  readonly path?: string;
}

/** A line of /proc/net/tcp or tcp6: address, port, state, user, inode. */
const tcpRow = /^\s*\d+: ([\dA-F]+):([\dA-F]{4}) \S+ ([\dA-F]{2})(?: \S+){3}\s+(\d+)\s+\d+ (\d+) /;
const acceptsConnections = 0x10000;
const anyV4 = `${mappedV4}${"0".repeat(8)}`;
const anyV6 = "0".repeat(32);

/**
 * The holder of an address. Never throws; null if nothing can be said: no /proc, a socket of another network namespace,
 * one that has closed meanwhile.
 * @param budgetMs how much CPU time it may take to look around; what it has found by then is the answer
 */
export function findHolder(
  wanted: WantedAddress,
  budgetMs = 300,
  ask = findSockets,
): Holder | null {
  if (process.platform !== "linux") return null;
  // Of this process's own time: on a busy machine the clock on the wall says little about what was done.
  const start = process.cpuUsage();
  const isOver = () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000 >= budgetMs;
  };
  try {
    const sockets =
      wanted.type === "tcp" ? inTheWay(wanted, isOver, ask) : unixSockets(wanted, isOver);
    const best = Math.min(...sockets.map(({ rank }) => rank));
    return ownerOf(
      sockets.filter(({ rank }) => rank === best),
      wanted,
      isOver,
    );
  } catch {
    // It is a help only: the address is in use, whoever has it.
    return null;
  }
}

function ownerOf(
  sockets: readonly Socket[],
  wanted: WantedAddress,
  isOver: () => boolean,
): Holder | null {
  const [first] = sockets;
  if (first === undefined) return null;
  const { pids, complete } = processesWith(sockets, wanted, isOver);
  // The master of several: the one that none of the others has started.
  const pid = pids.find((each) => !pids.includes(parentOf(each) ?? 0)) ?? pids[0];
  if (pid !== undefined) {
    const others = complete ? pids.length - 1 : null;
    return { type: "process", pid, command: nameOfProcess(pid) ?? "a process", others };
  }
  return first.uid === null ? null : { type: "user", uid: first.uid };
}

/** Processes that hold one of the inodes, the lowest pid first. */
function processesWith(
  sockets: readonly Socket[],
  wanted: WantedAddress,
  isOver: () => boolean,
): { pids: number[]; complete: boolean } {
  const links = new Map(sockets.map((socket) => [`socket:[${socket.inode}]`, socket]));
  const all = readdirSync("/proc").map(Number).filter(Number.isInteger);
  const pids: number[] = [];
  for (const pid of all.sort((one, other) => one - other)) {
    for (const fd of tryTo(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      if (isOver()) return { pids, complete: false };
      const link = tryTo(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      const socket = link === null ? undefined : links.get(link);
      if (socket === undefined || !isAt(socket, pid, wanted)) continue;
      pids.push(pid);
      break;
    }
    if (isOver()) return { pids, complete: false };
  }
  return { pids, complete: true };
}

/**
 * Whether a process's socket is at the address. Of TCP sockets the table has told it; a relative path depends on the
 * process.
 */
function isAt({ path }: Socket, pid: number, wanted: WantedAddress): boolean {
  if (path === undefined || wanted.type === "tcp" || path === tablePath(wanted)) return true;
  const folder = tryTo(() => readlinkSync(`/proc/${pid}/cwd`)) ?? "/";
  return isSameFile(resolve(latin1(folder), path), wanted.path);
}

function inTheWay(
  { family, hostname, port, v6only }: TcpName & { v6only: boolean },
  isOver: () => boolean,
  ask: typeof findSockets,
): Socket[] {
  const bytes = encodeTcp(family, hostname, port);
  const wanted =
    family === 6 ? bytes.subarray(8, 24).toHex() : mappedV4 + bytes.subarray(4, 8).toHex();
  const among = (states: number) =>
    tcpSockets(states, port, isOver, ask).flatMap(({ address, uid, inode }): Socket[] => {
      const rank = overlapOf(wanted, v6only, address);
      // One without an inode is nobody's any more.
      return rank === null || inode === "0" ? [] : [{ inode, uid, rank }];
    });
  // The kernel's choice: none is left.
  if (port === 0) return [];
  const listeners = among(listening);
  // An outgoing connection has a port too.
  return listeners.length > 0 ? listeners : among(bound);
}

/** As findSockets() has them, or else /proc, where 0 stands for those that listen at any port. */
export function tcpSockets(
  states: number,
  port: number,
  isOver: () => boolean,
  ask = findSockets,
): readonly TcpSocket[] {
  const told = isOver() ? [] : ask(states, port);
  if (told !== null) return told;
  const column = port === 0 ? " 0A " : `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  return ["tcp", "tcp6"].flatMap((table) =>
    linesWith(`/proc/net/${table}`, column, isOver).flatMap((line) => {
      const [, words = "", digits = "", state = "", uid, inode = ""] = tcpRow.exec(line) ?? [];
      const at = Number.parseInt(digits, 16);
      if ((port !== 0 && port !== at) || ((1 << Number.parseInt(state, 16)) & states) === 0)
        return [];
      return [{ address: canonical(words), port: at, uid: Number(uid), inode }];
    }),
  );
}

/**
 * Words of 32 bits in the order of the machine, as the kernel prints an address, to 32 digits; a v4 address becomes a
 * mapped one.
 */
function canonical(words: string): string {
  const digits = words.toLowerCase().replace(/(..)(..)(..)(..)/g, "$4$3$2$1");
  return digits.length === 8 ? mappedV4 + digits : digits;
}

/**
 * 0 if the other is in the way; 1 if it may be: nothing tells whether `::` takes v4 clients too; null if it isn't.
 */
function overlapOf(wanted: string, v6only: boolean, other: string): 0 | 1 | null {
  if (wanted === other) return 0;
  const [isV4, isOtherV4] = [wanted, other].map((address) => address.startsWith(mappedV4));
  if (isV4 === isOtherV4) return [wanted, other].includes(isV4 === true ? anyV4 : anyV6) ? 0 : null;
  if (isV4 === true) return other === anyV6 ? 1 : null;
  return wanted === anyV6 && !v6only ? 0 : null;
}

function unixSockets(wanted: UnixName, isOver: () => boolean): Socket[] {
  const path = tablePath(wanted);
  const abstract = wanted.path.startsWith("\0");
  const name = basename(path);
  return linesWith("/proc/net/unix", name, isOver).flatMap((line): Socket[] => {
    const row = /^\S+: \S+ \S+ ([\dA-F]+) \S+ \S+\s+(\d+) (.+)$/.exec(line);
    if (row === null) return [];
    const [, flags = "", inode = "", found = ""] = row;
    const same = found === path;
    const maybe = !abstract && !same && basename(found) === name && !found.startsWith("@");
    if (!same && !(maybe && (!found.startsWith("/") || isSameFile(found, wanted.path)))) return [];
    const rank = (Number.parseInt(flags, 16) & acceptsConnections) === 0 ? 1 : 0;
    return [{ inode, uid: null, rank, path: found.startsWith("/") ? path : found }];
  });
}

/**
 * The path as /proc/net/unix spells it: @ for the NUL of an abstract name. Its bytes are read as latin1, and so are
 * these.
 */
function tablePath({ path }: UnixName): string {
  return latin1(path.replace(/^\0/, "@"));
}

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** Whether two texts name one file: the first is latin1 of bytes, the other a path. */
function isSameFile(bytes: string, path: string): boolean {
  const found = tryTo(() => statSync(Buffer.from(bytes, "latin1")));
  const wanted = tryTo(() => statSync(path));
  return found !== null && wanted !== null && found.dev === wanted.dev && found.ino === wanted.ino;
}

/**
 * The lines with a text; none where the file is missing. The table of a busy machine has megabytes, those of sockets
 * that listen first.
 */
function linesWith(path: string, text: string, isOver: () => boolean): string[] {
  const fd = tryTo(() => openSync(path, "r"));
  // Without IPv6 there is no tcp6.
  if (fd === null) return [];
  try {
    const found: string[] = [];
    const chunk = Buffer.alloc(65_536);
    let rest = "";
    while (!isOver()) {
      const length = readSync(fd, chunk);
      if (length === 0) break;
      const lines = (rest + chunk.latin1Slice(0, length)).split("\n");
      rest = lines.pop() ?? "";
      found.push(...lines.filter((line) => line.includes(text)));
    }
    return found;
  } finally {
    closeSync(fd);
  }
}

/** Null for what the system refuses: processes end meanwhile, or are somebody else's. */
function tryTo<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
