/** What a load balancer, or whoever starts containers, is told of the server. Pure. */
import type { Progress } from "../decide/status.ts";

type Facts = Pick<Progress, "phase" | "ready" | "resting">;

/** New requests are welcome: some worker serves, and the server isn't about to stop. */
export function isReady({ phase, ready }: Facts): boolean {
  return (phase === "ready" || phase === "reloading") && ready > 0;
}

/** In one line, for people. */
export function describeHealth(facts: Facts): string {
  if (isReady(facts)) return "ready";
  return facts.phase === "ready" ? (facts.resting ? "resting" : "no worker is ready") : facts.phase;
}
