/** What of a process its children get by being born of it, beside environment and descriptors. */
import { fstatSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";

/** proc(5). The mask of files isn't told by all kernels. */
const inStatus =
  /^(?:Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|Cpus_allowed|Mems_allowed):.*$/gm;

/**
 * A text that is another one as soon as a child would get anything else: rights, limits, mask, priority, the current
 * directory, and where standard output and error go. Null where the system doesn't say.
 */
export function inheritedState(): string | null {
  try {
    const facts = [
      ...(readFileSync("/proc/self/status", "latin1").match(inStatus) ?? []),
      readFileSync("/proc/self/limits", "latin1"),
      process.umask(),
      getPriority(),
      process.cwd(),
      ...[1, 2].map((fd) => {
        const { dev, ino, rdev } = fstatSync(fd);
        return `${dev}:${ino}:${rdev}`;
      }),
    ];
    return facts.join("\n");
  } catch (error) {
    // No /proc, a directory that is gone, a stream that is closed.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}
