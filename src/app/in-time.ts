/** Waiting for what an app does: it may take for ever, and nobody can stop it. */

/** What there is instead of a result when the time is up. */
export const late = Symbol("late");

/**
 * Settles as `work` does, or with `late` after so long. The work itself goes on; what comes of it then, a rejection
 * included, nobody sees.
 * @param limitMs 0 or less: what has settled by then still counts
 */
export async function inTime<T>(limitMs: number, work: Promise<T>): Promise<T | typeof late> {
  const { promise, resolve } = Promise.withResolvers<typeof late>();
  const timer = setTimeout(resolve, Math.max(0, limitMs), late);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
