/** CPU time per request of the server's whole process tree, under wrk. */
import { countErrors, plainTraffic, type Traffic } from "../drivers/driver.ts";
import { wrk } from "../drivers/wrk.ts";
import { BenchError } from "../errors.ts";
import { freePort } from "../free-port.ts";
import { type Framework, startFramework } from "../frameworks/side.ts";
import type { Feature } from "../loads/load.ts";
import { loads } from "../loads/loads.ts";
import { measureTurn, warmUpBefore } from "../measure.ts";
import { Facilities } from "../servers/facilities.ts";
import { gunicornTsFeature } from "../servers/gunicorn-ts.ts";
import type { BenchServer } from "../servers/server.ts";
import { Watchers } from "../servers/watchers.ts";
import type { Figure } from "./figure.ts";
import { certificateOf, programOf, type Side, startSide } from "./sides.ts";

export interface CpuOptions {
  /** Of each side; 1 without it. */
  readonly workers?: number;
}

/** `name` is one of bench/loads. */
export async function measureCpu(
  side: Side,
  name: string,
  seconds: number,
  { workers = 1 }: CpuOptions = {},
): Promise<Figure> {
  const load = loads.find((candidate) => candidate.name === name);
  if (load === undefined) throw new RangeError(`no load ${name}`);
  await using facilities = await Facilities.open();
  const options = { workers, ...optionsOf(load.feature, facilities) };
  await using server = startSide(side, load.app, options);
  return await measureServer(server, load.traffic, seconds);
}

/** A feature is switched on in gunicorn-ts, as a bare Bun.serve has none; but TLS on both sides. */
function optionsOf(feature: Feature | null, facilities: Facilities) {
  if (feature === "TLS") return { certificate: certificateOf(facilities) };
  const found = gunicornTsFeature(feature, facilities);
  return { words: "words" in found ? found.words : [] };
}

/** A hello by a framework's own way to listen; the other side is that app by itself. */
export async function measureFramework(
  side: Side,
  name: Framework,
  seconds: number,
): Promise<Figure> {
  await using server = await startFramework(name, side === "bare" ? null : programOf(side));
  return await measureServer(server, plainTraffic, seconds);
}

/**
 * Hello that is watched: the admin server's metrics are asked for each second, and its page is open. The other side is the same
 * without an admin server, so that nothing counts for it.
 */
export async function measureWatched(side: Side, seconds: number): Promise<Figure> {
  if (side === "bare") return measureCpu("gunicorn-ts", "hello", seconds);
  const port = freePort();
  const words = ["--admin-bind", `127.0.0.1:${port}`];
  await using server = startSide(side, "hello", { words });
  const url = `http://127.0.0.1:${port}/`;
  await server.answered(url);
  using watchers = new Watchers(url);
  const figure = await measureServer(server, plainTraffic, seconds);
  return { ...figure, errors: figure.errors + watchers.failed };
}

/** Hello of whose requests one of a hundred is a span for a collector; the other side is the same without traces. */
export async function measureTraced(side: Side, seconds: number): Promise<Figure> {
  if (side === "bare") return measureCpu("gunicorn-ts", "hello", seconds);
  await using facilities = await Facilities.open();
  const words = ["--otel-endpoint", facilities.collector, "--otel-sample", "0.01"];
  await using server = startSide(side, "hello", { words });
  return await measureServer(server, plainTraffic, seconds);
}

async function measureServer(
  server: BenchServer,
  traffic: Traffic,
  seconds: number,
): Promise<Figure> {
  await server.answered();
  await warmUpBefore(wrk, server, traffic, seconds);
  const turn = await measureTurn(wrk, server, traffic, seconds);
  if (turn.cpuUsPerRequest === null) throw new BenchError("the CPU time of the server is unknown");
  return {
    value: turn.cpuUsPerRequest,
    requestsPerSecond: turn.requestsPerSecond,
    errors: countErrors(turn.errors),
    driverBusy: turn.driverBusy,
  };
}
