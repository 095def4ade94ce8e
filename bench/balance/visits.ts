/** Clients that open a connection, ask once, and learn which worker has got it. */

export type Place =
  { readonly hostname: string; readonly port: number } | { readonly unix: string };

export interface Visit {
  /** Of the worker that has answered. */
  readonly slot: number;
  /** From when the client began to connect. */
  readonly latencyMs: number;
  readonly leave: () => void;
}

const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** One connection, which stays open. Rejects when it is refused, or ends without an answer. */
export async function visit(place: Place): Promise<Visit> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const beganMs = performance.now();
  let received = "";
  const socket = await Bun.connect({
    ...(place as { hostname: string; port: number }),
    socket: {
      open: (opened) => void opened.write(request),
      data(_socket, bytes) {
        received += bytes.toString("latin1");
        const end = received.indexOf("\r\n\r\n");
        if (end !== -1 && received.length > end + 4) resolve(received.slice(end + 4));
      },
      close: () => reject(new Error(`a connection ended without an answer: ${received}`)),
      error: (_socket, error) => reject(error),
    },
  });
  const slot = Number(await promise);
  return { slot, latencyMs: performance.now() - beganMs, leave: () => void socket.end() };
}

/** So many connections, each `gapMs` after the one before; all at once with 0. */
export async function visitAll(place: Place, count: number, gapMs: number): Promise<Visit[]> {
  if (gapMs === 0) return Promise.all(Array.from({ length: count }, () => visit(place)));
  const beganMs = performance.now();
  const visits: Promise<Visit>[] = [];
  while (visits.length < count) {
    const waitMs = beganMs + visits.length * gapMs - performance.now();
    if (waitMs > 0) await Bun.sleep(waitMs);
    visits.push(visit(place));
  }
  return Promise.all(visits);
}

/** How many connections each slot has got. */
export function countsOf(visits: readonly Visit[], slots: number): number[] {
  const counts = Array.from({ length: slots }, () => 0);
  for (const { slot } of visits) counts[slot] = (counts[slot] ?? 0) + 1;
  return counts;
}

/** What the busiest slot has, beside the mean. */
export function busiest(counts: readonly number[]): number {
  return Math.max(...counts) / (counts.reduce((sum, count) => sum + count, 0) / counts.length);
}

/** What the first slot has, beside the mean of the others. */
export function firstBesideOthers([first = 0, ...others]: readonly number[]): number {
  return first / (others.reduce((sum, count) => sum + count, 0) / others.length);
}
