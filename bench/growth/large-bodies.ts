/**
 * Bodies of many megabytes, one after the other on one connection, by a client of our own: what isn't finished at the
 * end of a turn of wrk's would be as much as what is, and wrk takes seconds to make such a body.
 */
import { ByteClient } from "../byte-client.ts";
import { BenchError } from "../errors.ts";
import { cpuNsOf, machineCpuNs } from "../process-tree.ts";
import { type Side, startSide } from "../ratio/sides.ts";
import type { Sample } from "./curve.ts";

const warmUpExchanges = 3;
/** Of a turn at least, however long they take. */
const leastExchanges = 3;
const patienceMs = 60_000;

export type Direction = "upload" | "answer";

/** CPU time of the server for each body; the app is `sized`. */
export async function measureLargeBodies(
  side: Side,
  direction: Direction,
  bodyBytes: number,
  seconds: number,
  words: readonly string[],
): Promise<Sample> {
  await using server = startSide(side, "sized", { words });
  await server.answered();
  const { hostname, port } = new URL(server.url);
  using exchange = await Exchange.open({ hostname, port: Number(port) });
  const ask = requestOf(direction, bodyBytes);
  for (let count = 0; count < warmUpExchanges; count++) await exchange.run(ask);
  const [machineBefore, ownBefore] = [machineCpuNs(), process.cpuUsage()];
  const before = cpuNsOf(server.pid);
  const begun = Bun.nanoseconds();
  let exchanges = 0;
  while (exchanges < leastExchanges || Bun.nanoseconds() - begun < seconds * 1e9) {
    await exchange.run(ask);
    exchanges += 1;
  }
  const elapsedNs = Bun.nanoseconds() - begun;
  const spentNs = cpuNsOf(server.pid) - before;
  const own = process.cpuUsage(ownBefore);
  const othersNs = machineCpuNs() - machineBefore - spentNs - (own.user + own.system) * 1000;
  return {
    values: [spentNs / 1000 / exchanges],
    errors: 0,
    othersBusy: Math.max(0, othersNs / elapsedNs),
  };
}

function requestOf(direction: Direction, bodyBytes: number): readonly Uint8Array[] {
  if (direction === "answer")
    return [Buffer.from(`GET /${bodyBytes} HTTP/1.1\r\nHost: bench\r\n\r\n`)];
  const head = `POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
  return [Buffer.from(head), new Uint8Array(bodyBytes)];
}

/** One request at a time, and its whole answer, which must have a Content-Length. */
class Exchange implements Disposable {
  readonly #client: ByteClient;
  readonly #answer: Answer;

  private constructor(client: ByteClient, answer: Answer) {
    this.#client = client;
    this.#answer = answer;
  }

  static async open(to: { readonly hostname: string; readonly port: number }): Promise<Exchange> {
    const answer = new Answer();
    const client = await ByteClient.connect(to, {
      data: (_client, bytes) => answer.take(bytes),
      ended: () => answer.fail("the server closed the connection within an answer"),
    });
    return new Exchange(client, answer);
  }

  /** Rejects with BenchError when the server refuses, closes, or stays silent. */
  async run(request: readonly Uint8Array[]): Promise<void> {
    const whole = this.#answer.next();
    for (const part of request) this.#client.send(part);
    const timer = setTimeout(
      () => this.#answer.fail(`no answer on a body for ${patienceMs} ms`),
      patienceMs,
    );
    try {
      await whole;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

class Answer {
  #head = "";
  /** Of the body; null within the head. */
  #leftBytes: number | null = null;
  #whole = Promise.withResolvers<void>();

  next(): Promise<void> {
    this.#head = "";
    this.#leftBytes = null;
    this.#whole = Promise.withResolvers<void>();
    return this.#whole.promise;
  }

  take(bytes: Buffer): void {
    if (this.#leftBytes === null) {
      this.#head += bytes.toString("latin1");
      const end = this.#head.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = this.#head.slice(0, end);
      const [, length] = /^content-length: *(\d+)/im.exec(head) ?? [];
      if (!head.startsWith("HTTP/1.1 200") || length === undefined) {
        return this.fail(`a server answers a body with ${head.split("\r\n", 1)[0]}`);
      }
      this.#leftBytes = Number(length) - (this.#head.length - end - 4);
    } else this.#leftBytes -= bytes.length;
    if (this.#leftBytes === 0) this.#whole.resolve();
  }

  fail(why: string): void {
    this.#whole.reject(new BenchError(why));
  }
}
