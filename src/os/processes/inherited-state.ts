/** What of a process its children get by being born of it, beside environment and descriptors. */
import { fstatSync, readFileSync, readlinkSync } from "node:fs";
import { getPriority } from "node:os";
import { statFields } from "../processes.ts";

/** proc(5). The mask of files isn't told by all kernels. */
const inStatus =
  /^(?:Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|Cpus_allowed|Mems_allowed):.*$/gm;

/** Namespaces that a process may change for itself, or for its children. */
const namespaces = ["mnt", "net", "pid_for_children"];

/** Of statFields(): process group, session, priority and policy of scheduling. */
const inStat = [2, 3, 37, 38];

/**
 * A text that is another one as soon as a child would get anything else: rights, limits, groups, namespaces, mask, priority, the
 * current directory, and where standard output and error go, and how. Null where the system doesn't say.
 */
export function inheritedState(): string | null {
  const stat = statFields("self");
  if (stat === null) return null;
  try {
    const facts = [
      ...(readFileSync("/proc/self/status", "latin1").match(inStatus) ?? []),
      ...["limits", "oom_score_adj", "cgroup"].map((name) =>
        readFileSync(`/proc/self/${name}`, "latin1"),
      ),
      ...namespaces.map((name) => readlinkSync(`/proc/self/ns/${name}`)),
      ...inStat.map((index) => stat[index]),
      process.umask(),
      getPriority(),
      process.cwd(),
      ...[1, 2].map((fd) => {
        const { dev, ino, rdev } = fstatSync(fd);
        const [flags] =
          readFileSync(`/proc/self/fdinfo/${fd}`, "latin1").match(/^flags:.*$/m) ?? [];
        return `${dev}:${ino}:${rdev} ${flags}`;
      }),
    ];
    return facts.join("\n");
  } catch (error) {
    // No /proc, a directory that is gone, a stream that is closed.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}
