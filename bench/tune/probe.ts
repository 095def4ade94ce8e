/** How long requests take while all connections ask at once, before any turn is planned. */
import type { Traffic } from "../drivers/driver.ts";

/** Turns get no longer than this allows: an app that is slower still fails in them. */
const longestMs = 5000;

/** Seconds until the last of one request for each connection is answered. What fails isn't its business: the turns will show it. */
export async function probeLatency(
  url: string,
  { method, bodyBytes, paths, connections }: Traffic,
): Promise<number> {
  const begunMs = performance.now();
  const signal = AbortSignal.timeout(longestMs);
  const body = bodyBytes > 0 ? new Uint8Array(bodyBytes) : null;
  const ask = async (_: unknown, index: number) => {
    const target = new URL(paths[index % paths.length] ?? "/", url);
    const headers = { "accept-language": "en" };
    const answer = await fetch(target, {
      method,
      body,
      signal,
      headers,
      keepalive: false,
      tls: { rejectUnauthorized: false },
    });
    await answer.arrayBuffer();
  };
  await Promise.allSettled(Array.from({ length: connections }, ask));
  return Math.min(longestMs, performance.now() - begunMs) / 1000;
}
