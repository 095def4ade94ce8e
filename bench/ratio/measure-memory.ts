/** Memory of the serving process per connection that has had one answer and is idle now. */
import { ByteClient, type ServerAddress } from "../byte-client.ts";
import { BenchError } from "../errors.ts";
import type { Figure } from "./figure.ts";
import { anonymousBytesOf } from "../process-tree.ts";
import { plainTraffic } from "../drivers/driver.ts";
import { wrk } from "../drivers/wrk.ts";
import { Facilities } from "../servers/facilities.ts";
import type { BenchServer } from "../servers/server.ts";
import { certificateOf, type Side, startSide } from "./sides.ts";

const connectionCount = 8000;
/**
 * What grows once is to have grown before: machine code by requests, and not by connections, since the memory of those that
 * have closed would be used again for those that are counted.
 */
const warmUpSeconds = 2;
/** At a time: below the accept queue's length. */
const batchSize = 100;
const patienceMs = 60_000;

const request = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

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
  const clients = await openIdle(server, connectionCount);
  const after = await settledMemory(server);
  const open = clients.filter(({ ending }) => ending === null).length;
  close(clients);
  return {
    value: (after - before) / connectionCount,
    requestsPerSecond: null,
    errors: connectionCount - open,
    driverBusy: null,
  };
}

/** After a collection of garbage. */
async function settledMemory(server: BenchServer): Promise<number> {
  const tls = { rejectUnauthorized: false };
  const response = await fetch(`${server.url}collect`, { keepalive: false, tls });
  await response.arrayBuffer();
  return anonymousBytesOf(server.servingPid);
}

async function openIdle({ url }: BenchServer, count: number): Promise<ByteClient[]> {
  const { hostname, port, protocol } = new URL(url);
  const to = { hostname, port: Number(port), secure: protocol === "https:" };
  const clients: ByteClient[] = [];
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(batchSize, count - clients.length) }, () =>
      openOne(to),
    );
    clients.push(...(await inTime(Promise.all(batch))));
  }
  return clients;
}

/** A server that accepts no more must not stop the bench for ever. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new BenchError(`no answer on ${batchSize} new connections for ${patienceMs} ms`));
  }, patienceMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Connects, asks once, and resolves with the answer's first bytes. */
function openOne(to: ServerAddress): Promise<ByteClient> {
  const { promise, resolve, reject } = Promise.withResolvers<ByteClient>();
  const ended = () => reject(new Error("the server closed a connection before its first answer"));
  ByteClient.connect(to, { data: resolve, ended }).then((client) => client.send(request), reject);
  return promise;
}

function close(clients: readonly ByteClient[]): void {
  for (const client of clients) client.close();
}
