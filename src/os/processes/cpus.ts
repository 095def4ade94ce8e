/** How many CPUs there are for this process, and which cgroups limit it. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** CPUs that this process may use: those of its affinity mask, or fewer when a cgroup limits its CPU time. */
export function availableCpus(): number {
  return countCpus(availableParallelism(), readTextIfAny);
}

/** The same as the time that they give: a cgroup may limit it to one CPU and a half. */
export function availableCpuTime(): number {
  return limitCpus(availableParallelism(), readTextIfAny);
}

/** The rule behind availableCpus; `readText` answers null for a file that isn't there. */
export function countCpus(allowed: number, readText: (path: string) => string | null): number {
  return Math.max(1, Math.ceil(limitCpus(allowed, readText)));
}

function limitCpus(allowed: number, readText: (path: string) => string | null): number {
  const quotas = cgroupFolders(readText("/proc/self/cgroup") ?? "").map(({ folder, version }) =>
    version === 2
      ? parseCpuMax(readText(`${folder}/cpu.max`) ?? "")
      : parseCfsQuota(
          readText(`${folder}/cpu.cfs_quota_us`) ?? "",
          readText(`${folder}/cpu.cfs_period_us`) ?? "",
        ),
  );
  return Math.min(allowed, ...quotas);
}

interface CgroupFolder {
  readonly folder: string;
  readonly version: 1 | 2;
}

/**
 * Where the limits of a process stand, by its /proc/self/cgroup: its own group and all above it, as the
 * tightest one counts. The root comes too: inside a container it may be the container's own group.
 */
export function cgroupFolders(text: string, controller = "cpu"): CgroupFolder[] {
  const folders: CgroupFolder[] = [];
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const version = controllers === "" ? 2 : 1;
    if (version === 1 && !controllers.split(",").includes(controller)) continue;
    const root = version === 2 ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controller}`;
    const names = path.split("/").filter((name) => name !== "");
    for (let depth = names.length; depth >= 0; depth--)
      folders.push({ folder: [root, ...names.slice(0, depth)].join("/"), version });
  }
  return folders;
}

/** cgroup v2, cpu.max: `150000 100000` is one CPU and a half, `max 100000` no limit. */
export function parseCpuMax(text: string): number {
  const [quota = "", period = ""] = text.trim().split(/\s+/);
  return parseCfsQuota(quota, period);
}

/** cgroup v1, cpu.cfs_quota_us and cpu.cfs_period_us: a quota of -1 is no limit. */
function parseCfsQuota(quota: string, period: string): number {
  const cpus = Number.parseInt(quota, 10) / Number.parseInt(period, 10);
  return cpus > 0 ? cpus : Number.POSITIVE_INFINITY;
}

/** Null for a file of the system that can't be read: no cgroups, no /proc, no permission, no descriptor left. */
export function readTextIfAny(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Whatever it is, no limit is known.
    return null;
  }
}
