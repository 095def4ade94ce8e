/** Connections that have had one answer each and are idle now. */
import { readFileSync } from "node:fs";
import { ByteClient, type ServerAddress } from "./byte-client.ts";
import { BenchError } from "./errors.ts";

/** At a time: below the accept queue's length. */
const batchSize = 100;
const patienceMs = 60_000;
/** For all else that bench and server have open. */
const otherDescriptors = 300;

const request = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

/** Closes them all at the end of its scope. */
export class IdleConnections implements Disposable {
  readonly #clients: readonly ByteClient[];

  private constructor(clients: readonly ByteClient[]) {
    this.#clients = clients;
  }

  /** Throws BenchError for more than the process may have open, and when no answers come for a minute. */
  static async open(url: string, count: number): Promise<IdleConnections> {
    checkDescriptors(count);
    const { hostname, port, protocol } = new URL(url);
    const to = { hostname, port: Number(port), secure: protocol === "https:" };
    const clients: ByteClient[] = [];
    while (clients.length < count) {
      const batch = Array.from({ length: Math.min(batchSize, count - clients.length) }, () =>
        openOne(to),
      );
      clients.push(...(await inTime(Promise.all(batch))));
    }
    return new IdleConnections(clients);
  }

  /** How many the server has ended meanwhile. */
  get ended(): number {
    return this.#clients.filter(({ ending }) => ending !== null).length;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
  }
}

/** Throws BenchError where so many connections can't be open: the server inherits the limit. Bun raises the soft one itself. */
export function checkDescriptors(count: number): void {
  const limit = descriptorLimit(readFileSync("/proc/self/limits", "utf8"));
  const needed = count + otherDescriptors;
  if (limit >= needed) return;
  throw new BenchError(
    `${count} idle connections need ${needed} open descriptors, the limit is ${limit}: raise \`ulimit -Hn\``,
  );
}

/** The soft limit of proc(5), /proc/PID/limits. */
export function descriptorLimit(limits: string): number {
  const [, soft = ""] = /^Max open files +(\S+)/m.exec(limits) ?? [];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
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
