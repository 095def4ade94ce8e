/** CPU time per request of the server's whole process tree, under wrk. */
import { countErrors } from "../drivers/driver.ts";
import { wrk } from "../drivers/wrk.ts";
import { BenchError } from "../errors.ts";
import { loads } from "../loads/loads.ts";
import { measureTurn, warmUp } from "../measure.ts";
import { Facilities } from "../servers/facilities.ts";
import { gunicornTsFeature } from "../servers/gunicorn-ts.ts";
import type { Figure } from "./figure.ts";
import { type Side, startSide } from "./sides.ts";

/** Before a turn, so that the JIT has done its work: at most so long, less for short turns. */
const warmUpSeconds = 1;

/** `name` is one of bench/loads. A feature is switched on in gunicorn-ts: a bare Bun.serve has none. */
export async function measureCpu(side: Side, name: string, seconds: number): Promise<Figure> {
  const load = loads.find((candidate) => candidate.name === name);
  if (load === undefined) throw new RangeError(`no load ${name}`);
  await using facilities = await Facilities.open();
  const feature = gunicornTsFeature(load.feature, facilities);
  const words = "words" in feature && side === "gunicorn-ts" ? feature.words : [];
  await using server = startSide(side, load.app, words);
  await server.answered();
  await warmUp(wrk, server, load.traffic, Math.min(warmUpSeconds, seconds));
  const turn = await measureTurn(wrk, server, load.traffic, seconds);
  if (turn.cpuUsPerRequest === null) throw new BenchError("the CPU time of the server is unknown");
  return {
    value: turn.cpuUsPerRequest,
    requestsPerSecond: turn.requestsPerSecond,
    errors: countErrors(turn.errors),
    driverBusy: turn.driverBusy,
  };
}
