/** What a test needs of who runs it. The words that say so end a skipped test's name; `.ci/verdict.ts` reads them. */
import { readFileSync } from "node:fs";

/** capabilities(7): numbers of bits. */
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/** The effective capabilities of this process, one bit for each; none where there is no /proc. */
function capabilities(): bigint {
  if (process.platform !== "linux") return 0n;
  const found = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"));
  return BigInt(`0x${found?.[1] ?? "0"}`);
}

function has(capability: bigint): boolean {
  return ((capabilities() >> capability) & 1n) === 1n;
}

/** Root with what makes it root: in a container it may lack that, and is an ordinary user to the tests. */
export const isRoot = process.geteuid?.() === 0 && has(CAP_NET_ADMIN) && has(CAP_SYS_ADMIN);

/** Ends the name of a test that only root can pass. */
export const needsRoot = isRoot ? "" : " (needs root)";
