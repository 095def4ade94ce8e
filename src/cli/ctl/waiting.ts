/** Waiting for a server, by asking it again and again. */
import { type Client, type Data, Refused } from "./client.ts";

/** The time is up: exit code 4. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
}

const pollMs = 100;
/** How long an answer may take, however little time there is. */
const leastMs = 1000;

/** As many workers serve as are wanted, and nothing is under way. */
export function isReady({ state, workers_ready: ready, workers_target: target }: Data): boolean {
  return state === "ready" && typeof ready === "number" && ready > 0 && ready === target;
}

/**
 * What has come of the loads behind number `loads`: null while one is under way. Throws Refused when the newest has failed, or the
 * server stops.
 */
export function reloaded(stats: Data, loads: number): true | null {
  if (stats["state"] === "stopping") throw new Refused("The server is shutting down");
  if (Number(stats["loads"]) <= loads || stats["state"] !== "ready") return null;
  if (stats["reload_failed"] === true) throw new Refused(tellFailure(stats["reload_failure"]));
  return isReady(stats) ? true : null;
}

/** A server of an older version doesn't say why. What the app's own code threw is in the log alone. */
function tellFailure(why: unknown): string {
  if (typeof why !== "string") return "The reload has failed, see the log";
  return `The reload has failed: ${why.split("\n", 1)[0]} (see the log)`;
}

/**
 * Asks until the answer isn't null, at least once. A server that is stopped or busy takes the question and doesn't answer: it
 * isn't waited for beyond the time, but for the moment that any answer takes.
 * @throws TimedOut, and whatever `probe` throws by then
 */
export async function poll<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | null>,
): Promise<T> {
  const late = () => new TimedOut(`${what} within ${timeoutMs / 1000} s`);
  const end = performance.now() + timeoutMs;
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), Math.max(timeoutMs, leastMs));
  try {
    for (;;) {
      const value = await Promise.race([probe(), over]);
      if (value !== null) return value;
      if (performance.now() >= end) throw late();
      await Bun.sleep(Math.max(0, Math.min(pollMs, end - performance.now())));
    }
  } finally {
    clearTimeout(timer);
  }
}

export function stats(client: Client): Promise<Data> {
  return client.ask(["show", "stats"]);
}
