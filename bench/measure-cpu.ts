/** CPU time per request of the server's whole process tree, under wrk. */
import type { Figure } from "./loads.ts";
import { cpuNsOf } from "./process-tree.ts";
import { type Side, startServer } from "./servers.ts";
import { errorsOf, runWrk, type WrkScript } from "./wrk.ts";

/** Before a turn, so that the JIT has done its work: at most so long, less for short turns. */
const warmUpSeconds = 1;

export async function measureCpu(
  side: Side,
  load: { readonly app: string; readonly script: WrkScript; readonly seconds: number },
): Promise<Figure> {
  const { app, script, seconds } = load;
  await using server = startServer(side, app);
  await server.answered();
  await runWrk(server.url, script, Math.min(warmUpSeconds, seconds));
  const before = cpuNsOf(server.pid);
  const turn = await runWrk(server.url, script, seconds);
  const usedNs = cpuNsOf(server.pid) - before;
  return {
    value: usedNs / 1000 / turn.requests,
    requestsPerSecond: (turn.requests / turn.durationUs) * 1e6,
    errors: errorsOf(turn),
    driverBusy: turn.wrkBusy,
  };
}
