/** CPU time per request of the server's whole process tree, under wrk. */
import { countErrors, plainTraffic, type Traffic } from "../drivers/driver.ts";
import { wrk } from "../drivers/wrk.ts";
import { BenchError } from "../errors.ts";
import { type Framework, startFramework } from "../frameworks/side.ts";
import { type Feature, loads } from "../loads/loads.ts";
import { measureTurn, warmUp } from "../measure.ts";
import { Facilities } from "../servers/facilities.ts";
import { gunicornTsFeature } from "../servers/gunicorn-ts.ts";
import type { BenchServer } from "../servers/server.ts";
import type { Figure } from "./figure.ts";
import { certificateOf, type Side, startSide } from "./sides.ts";

/** Before a turn, so that the JIT has done its work: at most so long, less for short turns. */
const warmUpSeconds = 1;

/** `name` is one of bench/loads. */
export async function measureCpu(side: Side, name: string, seconds: number): Promise<Figure> {
  const load = loads.find((candidate) => candidate.name === name);
  if (load === undefined) throw new RangeError(`no load ${name}`);
  await using facilities = await Facilities.open();
  await using server = startSide(side, load.app, optionsOf(side, load.feature, facilities));
  return await measureServer(server, load.traffic, seconds);
}

/** A feature is switched on in gunicorn-ts, as a bare Bun.serve has none; but TLS on both sides. */
function optionsOf(side: Side, feature: Feature | null, facilities: Facilities) {
  if (feature === "TLS") return { certificate: certificateOf(facilities) };
  const found = gunicornTsFeature(feature, facilities);
  return { words: "words" in found && side === "gunicorn-ts" ? found.words : [] };
}

/** A hello by a framework's own way to listen; the other side is that app by itself. */
export async function measureFramework(
  side: Side,
  name: Framework,
  seconds: number,
): Promise<Figure> {
  await using server = await startFramework(name, side === "bare");
  return await measureServer(server, plainTraffic, seconds);
}

async function measureServer(
  server: BenchServer,
  traffic: Traffic,
  seconds: number,
): Promise<Figure> {
  await server.answered();
  await warmUp(wrk, server, traffic, Math.min(warmUpSeconds, seconds));
  const turn = await measureTurn(wrk, server, traffic, seconds);
  if (turn.cpuUsPerRequest === null) throw new BenchError("the CPU time of the server is unknown");
  return {
    value: turn.cpuUsPerRequest,
    requestsPerSecond: turn.requestsPerSecond,
    errors: countErrors(turn.errors),
    driverBusy: turn.driverBusy,
  };
}
