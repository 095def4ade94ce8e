/** Memory of the serving process per connection that has had one answer, and has been idle for some seconds since. */
import { IdleConnections } from "../idle-connections.ts";
import { anonymousBytesOf } from "../process-tree.ts";
import { plainTraffic } from "../drivers/driver.ts";
import { wrk } from "../drivers/wrk.ts";
import { Facilities } from "../servers/facilities.ts";
import type { BenchServer } from "../servers/server.ts";
import type { Figure } from "./figure.ts";
import { certificateOf, type Side, startSide } from "./sides.ts";

const connectionCount = 8000;
/**
 * What grows once is to have grown before: machine code by requests, and not by connections, since the memory of those that
 * have closed would be used again for those that are counted.
 */
const warmUpSeconds = 2;

/** For so long they have been idle: a server may keep less of such a connection. */
const idleMs = 1500;
/** Allocators keep what is free for a while. */
const givesBackMs = 1000;

export async function measureIdleMemory(
  side: Side,
  seconds: number,
  secure = false,
): Promise<Figure> {
  await using facilities = await Facilities.open();
  const certificate = secure ? certificateOf(facilities) : null;
  await using server = startSide(side, "collect", { certificate });
  await server.answered();
  await wrk.run(server.url, plainTraffic, Math.min(warmUpSeconds, seconds));
  const before = await settledMemory(server);
  using idle = await IdleConnections.open(server.url, connectionCount);
  const after = await restedMemory(server);
  return {
    value: (after - before) / connectionCount,
    requestsPerSecond: null,
    errors: idle.ended,
    driverBusy: null,
  };
}

/** Of the serving process, after a collection of garbage; the app is `collect`. */
export async function settledMemory(server: BenchServer): Promise<number> {
  const tls = { rejectUnauthorized: false };
  const response = await fetch(`${server.url}collect`, { keepalive: false, tls });
  await response.arrayBuffer();
  return anonymousBytesOf(server.servingPid);
}

/** The same of connections that have been idle for a while. */
export async function restedMemory(server: BenchServer): Promise<number> {
  await Bun.sleep(idleMs);
  await settledMemory(server);
  await Bun.sleep(givesBackMs);
  return await settledMemory(server);
}
