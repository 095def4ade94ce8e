/** What of the machine is left for more: idle CPUs and free memory. */
import { cgroupFolders, readTextIfAny } from "./cpus.ts";

/** How long all CPUs together were idle since the machine started; null where /proc doesn't tell. */
export function idleCpuSeconds(): number | null {
  // proc(5): user, nice, system, idle, iowait; in hundredths of a second on all machines.
  const [, idle, iowait] =
    /^cpu +\d+ \d+ \d+ (\d+) (\d+)/.exec(readTextIfAny("/proc/stat") ?? "") ?? [];
  return idle === undefined ? null : (Number(idle) + Number(iowait)) / 100;
}

/** Memory that may still be taken without harm to others, in bytes; null where nobody says. */
export function freeMemoryBytes(): number | null {
  return countFreeMemory(readTextIfAny);
}

/** The rule behind freeMemoryBytes; `readText` answers null for a file that isn't there. */
export function countFreeMemory(readText: (path: string) => string | null): number | null {
  const [, kibibytes] = /^MemAvailable: +(\d+) kB$/m.exec(readText("/proc/meminfo") ?? "") ?? [];
  const folders = cgroupFolders(readText("/proc/self/cgroup") ?? "", "memory");
  const rooms = folders.flatMap(({ folder, version }) => {
    const names = version === 2 ? namesOfVersion2 : namesOfVersion1;
    const [limit, usage, stat] = names.map((name) => readText(`${folder}/${name}`) ?? "");
    const [most, used] = [wholeBytes(limit), wholeBytes(usage)];
    if (most === null || used === null) return [];
    // Files that nobody uses are given up before anybody has to go.
    const [, cache = "0"] = /^(?:total_)?inactive_file (\d+)$/m.exec(stat ?? "") ?? [];
    return [Math.max(0, most - used + Number(cache))];
  });
  const known = kibibytes === undefined ? rooms : [Number(kibibytes) * 1024, ...rooms];
  return known.length === 0 ? null : Math.min(...known);
}

const namesOfVersion2 = ["memory.max", "memory.current", "memory.stat"] as const;
const namesOfVersion1 = ["memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"] as const;

/** Null for `max`, and for nothing. */
function wholeBytes(text = ""): number | null {
  return /^\d+\s*$/.test(text) ? Number(text) : null;
}
