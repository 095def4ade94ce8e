/** What a process and all its descendants have used, read from /proc (Linux). */
import { readdirSync, readFileSync } from "node:fs";

/** A process and its descendants, parents first. */
export function treeOf(root: number): number[] {
  const children = allChildren();
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Those that a process itself has started: of a master its workers, whatever these start. */
export function childrenOf(pid: number): readonly number[] {
  return allChildren().get(pid) ?? [];
}

/** Of each process of the machine, in the order of their numbers. */
function allChildren(): ReadonlyMap<number, readonly number[]> {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readIfThere(`/proc/${name}/stat`);
    if (stat === null) continue;
    const parent = Number(statFields(stat)[1]);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  return parents;
}

/** proc(5), /proc/PID/stat, from the third field on: the name before them, in brackets, may hold anything. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Of cutime and cstime: sysconf(_SC_CLK_TCK) is 100 on every Linux that Bun runs on. */
const nsPerTick = 1e7;

/**
 * Nanoseconds on a CPU, user and system, of all threads of the tree, and of those that it has reaped: the sum doesn't fall when a
 * worker is replaced, but for the part of a tick. To be read while it is idle.
 */
export function cpuNsOf(root: number): number {
  let total = 0;
  for (const pid of treeOf(root)) {
    const [cutime = 0, cstime = 0] = statFields(readIfThere(`/proc/${pid}/stat`) ?? "")
      .slice(13, 15)
      .map(Number);
    total += (cutime + cstime) * nsPerTick;
    for (const task of namesIn(`/proc/${pid}/task`)) {
      const schedstat = readIfThere(`/proc/${pid}/task/${task}/schedstat`);
      if (schedstat !== null) total += Number(schedstat.split(" ")[0]);
    }
  }
  return total;
}

/** Resident bytes of the tree; what processes share is counted once. */
export function residentBytesOf(root: number): number {
  let total = 0;
  for (const pid of treeOf(root)) {
    const rollup = readIfThere(`/proc/${pid}/smaps_rollup`) ?? "";
    total += Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
  }
  return total;
}

/** Nanoseconds that all CPUs of the machine have worked, for anybody. */
export function machineCpuNs(): number {
  // proc(5), /proc/stat: user nice system idle iowait irq softirq steal, in hundredths of a second.
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * 1e7;
}

/** Bytes that belong to this process alone, not to a file. */
export function anonymousBytesOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const found = /^Anonymous:\s+(\d+) kB$/m.exec(rollup);
  if (found === null) throw new Error(`no Anonymous line in /proc/${pid}/smaps_rollup`);
  return Number(found[1]) * 1024;
}

/** Empty when the process has ended meanwhile; as it ends, its descriptors are root's. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return [];
    throw error;
  }
}

/** null when the process or thread has ended meanwhile. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw error;
  }
}
