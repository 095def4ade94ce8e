/** Computes for 5 ms by the clock: what it can do doesn't depend on how fast the machine is. */
const computeMs = 5;

/** How many requests a second one worker can answer. */
export const mostPerSecond = 1000 / computeMs;

export function fetch(): Response {
  const end = performance.now() + computeMs;
  while (performance.now() < end);
  return new Response("done");
}
