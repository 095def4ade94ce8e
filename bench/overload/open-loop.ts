/**
 * Clients that ask whether or not the server keeps up, as people do: so many requests a second, each at its time, and on a
 * connection of its own if none is idle. A latency begins when the request was due, so that nothing late is left out.
 */
import { ByteClient } from "../byte-client.ts";

export interface OpenLoad {
  readonly port: number;
  readonly perSecond: number;
  /** What comes first isn't counted. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** How long a client waits for its answer, and then leaves. */
  readonly patienceMs: number;
}

export interface OpenTurn {
  readonly asked: number;
  /** Answered with 200 while the client waited. */
  readonly good: number;
  /** Answered with 503. */
  readonly refused: number;
  /** Clients that have left without an answer. */
  readonly left: number;
  /** Connections that were refused, or ended; other answers. */
  readonly failed: number;
  /** Of the good answers, sorted, in milliseconds. */
  readonly latenciesMs: readonly number[];
}

type Outcome = "good" | "refused" | "left" | "failed";

const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const stepMs = 1;
const answerPattern = /^HTTP\/1\.1 ([0-9]{3})[^]*?\r\ncontent-length: ([0-9]+)[^]*?\r\n\r\n/i;

/** One client's connection, and the request on it. */
class Visit {
  client: ByteClient | null = null;
  received = "";
  #settle: ((outcome: Outcome) => void) | null = null;

  static async open(port: number): Promise<Visit> {
    const visit = new Visit();
    visit.client = await ByteClient.connect(
      { port },
      {
        data: (_client, bytes) => visit.#receive(bytes.toString("latin1")),
        ended: () => visit.#end("failed"),
      },
    );
    return visit;
  }

  get usable(): boolean {
    return this.client?.ending === null;
  }

  ask(patienceMs: number): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const timer = setTimeout(() => {
      this.#end("left");
      this.client?.reset();
    }, patienceMs);
    this.#settle = (outcome) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    this.received = "";
    this.client?.send(request);
    return promise;
  }

  #receive(text: string): void {
    this.received += text;
    const found = answerPattern.exec(this.received);
    if (found === null || this.received.length < found[0].length + Number(found[2])) return;
    this.#end(found[1] === "200" ? "good" : found[1] === "503" ? "refused" : "failed");
  }

  #end(outcome: Outcome): void {
    this.#settle?.(outcome);
    this.#settle = null;
  }
}

export async function runOpenLoop(load: OpenLoad): Promise<OpenTurn> {
  const { port, perSecond, warmUpSeconds, seconds, patienceMs } = load;
  const counts: Record<Outcome, number> = { good: 0, refused: 0, left: 0, failed: 0 };
  const latenciesMs: number[] = [];
  const idle: Visit[] = [];
  const underWay = new Set<Promise<void>>();
  const beganMs = performance.now();
  const countedMs = beganMs + warmUpSeconds * 1000;
  const visit = async (dueMs: number) => {
    let found = idle.pop();
    while (found?.usable === false) found = idle.pop();
    let outcome: Outcome = "failed";
    try {
      found ??= await Visit.open(port);
      outcome = await found.ask(Math.max(0, dueMs + patienceMs - performance.now()));
      if (found.usable && outcome !== "left") idle.push(found);
    } catch {
      // connect(2) has failed: nobody is there, or the queue is full.
    }
    if (dueMs < countedMs) return;
    counts[outcome] += 1;
    if (outcome === "good") latenciesMs.push(performance.now() - dueMs);
  };
  const requests = Math.round((warmUpSeconds + seconds) * perSecond);
  for (let sent = 0; sent < requests;) {
    for (; sent < requests; sent += 1) {
      const dueMs = beganMs + (sent * 1000) / perSecond;
      if (dueMs > performance.now()) break;
      const each = visit(dueMs).finally(() => underWay.delete(each));
      underWay.add(each);
    }
    await Bun.sleep(stepMs);
  }
  await Promise.all(underWay);
  for (const { client } of idle) client?.close();
  latenciesMs.sort((one, other) => one - other);
  const asked = counts.good + counts.refused + counts.left + counts.failed;
  return { asked, ...counts, latenciesMs };
}
