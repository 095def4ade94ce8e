/** Time as far as the machine has given it: for upper bounds, which a machine that others load must not break. */

const tickMs = 10;
/** What a tick counts at most: whoever was kept waiting for longer has had no more of a CPU. */
const longestTickMs = 2 * tickMs;

let total = 0;
let last = performance.now();

// Runs for as long as the tests do, and keeps none of them.
setInterval(() => {
  const now = performance.now();
  total += Math.min(now - last, longestTickMs);
  last = now;
}, tickMs).unref();

/** Milliseconds since the first import, without the stalls of this process; never more than on the wall's clock. */
export function machineMs(): number {
  return total;
}
