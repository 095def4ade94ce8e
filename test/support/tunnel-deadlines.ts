/** The times of a tunnel in unit tests, in ticks; nobody knows what its sockets hold. */
import type { DeadlineTicks } from "../../src/worker/connection/deadlines.ts";

export const deadlines: DeadlineTicks = {
  headTicks: 1,
  bodyTicks: 1,
  writeTicks: 5,
  keepAliveTicks: 1,
  lingerTicks: 3,
  graceTicks: 1,
  probe: { unsentBytes: () => -1, peerHasEnded: () => false, unreadBytes: () => -1 },
};
