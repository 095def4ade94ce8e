/**
 * Clients of all sorts, a bounded number of each, in a process of their own: slow readers, those that leave at random,
 * event streams, uploads and downloads. Run with a port and seconds; prints what they have seen as JSON.
 */
import { ByteClient, type Receiver } from "../byte-client.ts";
import { derivedBytes } from "./derived.ts";

export interface Seen {
  /** Exchanges that were carried through, by kind of client. */
  readonly done: Record<string, number>;
  /** What no client may see, the first few: a wrong byte, an answer cut short, a refusal. */
  readonly faults: string[];
  faultCount: number;
}

const slowBytesPerSecond = 50_000;
/** Then it reads the rest as fast as it can: a reload isn't to wait for it. A short run has less time. */
let slowMs = 15_000;
const seeds = 5;
/** How long one that no longer reads stays. */
const stuckMs = 50;

const counts: Readonly<Record<string, number>> = {
  slow: 6,
  leaving: 8,
  events: 6,
  upload: 4,
  download: 6,
};

const seen: Seen = { done: {}, faults: [], faultCount: 0 };

function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}

function fault(kind: string, what: string): void {
  seen.faultCount += 1;
  if (seen.faults.length < 20) seen.faults.push(`${kind}: ${what}`);
}

type Leave = "fin" | "rst";

interface Exchange {
  readonly request: Uint8Array;
  readonly expected: Uint8Array | "events";
  /** Reads 50 kB/s at first. */
  readonly slow?: boolean;
  /** Leaves when so many bytes of the request are sent, or so many of the answer have come. */
  readonly leave?: { readonly how: Leave; readonly sent?: number; readonly received?: number };
}

/** Takes an answer apart: its head, then its body against what is expected. */
class Checker {
  readonly #expected: Uint8Array | "events";
  #head = "";
  #status = "";
  received = 0;
  #body = 0;
  #text = "";
  #events = 0;

  constructor(expected: Uint8Array | "events") {
    this.#expected = expected;
  }

  /** What is wrong with it so far; null when nothing is. */
  take(bytes: Uint8Array): string | null {
    this.received += bytes.length;
    if (this.#status !== "") return this.#takeBody(bytes);
    this.#head += Buffer.from(bytes).toString("latin1");
    const end = this.#head.indexOf("\r\n\r\n");
    if (end === -1) return null;
    this.#status = this.#head.slice(0, this.#head.indexOf("\r\n"));
    if (!this.#status.startsWith("HTTP/1.1 200")) return this.#status;
    return this.#takeBody(Buffer.from(this.#head.slice(end + 4), "latin1"));
  }

  #takeBody(bytes: Uint8Array): string | null {
    if (this.#expected === "events") return this.#takeEvents(bytes);
    const expected = this.#expected.subarray(this.#body, this.#body + bytes.length);
    const at = this.#body;
    this.#body += bytes.length;
    return Buffer.compare(expected, bytes) === 0
      ? null
      : `wrong bytes at ${at} of ${this.#expected.length}`;
  }

  #takeEvents(bytes: Uint8Array): string | null {
    this.#text += Buffer.from(bytes).toString("latin1");
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) return null;
      const event = this.#text.slice(0, end);
      if (event !== `data: ${this.#events}`)
        return `event ${this.#events} is ${JSON.stringify(event)}`;
      this.#events += 1;
      this.#text = this.#text.slice(end + 2);
    }
  }

  /** Null when the whole answer has come. */
  get missing(): string | null {
    if (this.#expected === "events") return "the stream has ended";
    if (this.#body === this.#expected.length) return null;
    return `${this.#body} of ${this.#expected.length} bytes, ${this.#status === "" ? "no head" : this.#status}`;
  }
}

/** Carries one exchange through, or leaves it; answers with what is wrong. */
function carry(port: number, exchange: Exchange): Promise<string | null> {
  const { request, expected, slow = false, leave } = exchange;
  const ended = Promise.withResolvers<string | null>();
  const checker = new Checker(expected);
  const begunMs = performance.now();
  let left = false;
  const depart = (client: ByteClient) => {
    left = true;
    if (leave?.how === "rst") client.reset();
    else client.close();
    ended.resolve(null);
  };
  const departWhenSent = (client: ByteClient) => {
    if (leave?.sent !== undefined && client.unsentBytes === 0 && !left) depart(client);
  };
  const over = (error: Error | null) => {
    if (!left)
      ended.resolve(error === null ? checker.missing : `${error.message}, ${checker.missing}`);
  };
  const limit = setTimeout(() => ended.resolve(`still going on, ${checker.missing}`), 120_000);
  const receiver: Receiver = {
    drained: departWhenSent,
    data(client, bytes) {
      if (left) return;
      const wrong = checker.take(bytes);
      if (wrong !== null) {
        ended.resolve(wrong);
        left = true;
        client.reset();
        return;
      }
      if (leave?.received !== undefined && checker.received >= leave.received) {
        // Half of them stop reading first: then much of the answer waits in the server.
        left = true;
        if (Math.random() < 0.5) return depart(client);
        client.pause();
        setTimeout(() => depart(client), stuckMs);
        return;
      }
      const elapsedMs = performance.now() - begunMs;
      const aheadMs = (checker.received / slowBytesPerSecond) * 1000 - elapsedMs;
      if (!slow || elapsedMs > slowMs || aheadMs <= 0) return;
      client.pause();
      setTimeout(() => client.resume(), Math.min(aheadMs, slowMs - elapsedMs));
    },
    ended(client, _ending, error) {
      over(error);
      client.close();
    },
  };
  ByteClient.connect({ port }, receiver).then((client) => {
    client.send(request.subarray(0, leave?.sent));
    departWhenSent(client);
  }, over);
  return ended.promise.finally(() => clearTimeout(limit));
}

/** With HTTP/1.0 the end of the answer is that of the connection, and nothing is chunked. */
function get(path: string, version = "1.0"): Uint8Array {
  return Buffer.from(`GET ${path} HTTP/${version}\r\nHost: soak\r\n\r\n`);
}

const made = new Map<string, Uint8Array>();

function bytesOf(size: number, seed: number): Uint8Array {
  const key = `${size}/${seed}`;
  const known = made.get(key) ?? derivedBytes(size, seed);
  made.set(key, known);
  return known;
}

const sizes = [1000, 100_000, 300_000, 2_000_000];

function download(size = sizes[below(sizes.length)] ?? 0, version?: string): Exchange {
  const seed = below(seeds);
  const source = Math.random() < 0.5 ? "memory" : "file";
  return { request: get(`/${source}/${size}/${seed}`, version), expected: bytesOf(size, seed) };
}

function upload(): Exchange {
  const body = bytesOf(sizes[below(sizes.length)] ?? 0, below(seeds));
  const head = Buffer.from(
    `POST / HTTP/1.0\r\nHost: soak\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  const hash = new Bun.CryptoHasher("sha1").update(body).digest("hex");
  return { request: Buffer.concat([head, body]), expected: Buffer.from(hash) };
}

function leaving(): Exchange {
  const how = Math.random() < 0.5 ? "fin" : "rst";
  const state = below(4);
  if (state === 0) return { ...download(), leave: { how, sent: 1 + below(20) } };
  if (state === 1) {
    const post = upload();
    return { ...post, leave: { how, sent: 80 + below(post.request.length - 80) } };
  }
  if (state === 2) {
    // More than the kernel keeps.
    const one = download(8_000_000, "1.1");
    return { ...one, leave: { how, received: 1 + below(1_900_000) } };
  }
  return { request: get("/events"), expected: "events", leave: { how, received: 1 + below(300) } };
}

const kinds: Readonly<Record<string, () => Exchange>> = {
  slow: () => ({ ...download(8_000_000), slow: true }),
  leaving,
  events: () => ({
    request: get("/events"),
    expected: "events",
    leave: { how: Math.random() < 0.5 ? "fin" : "rst", received: 300 + below(1000) },
  }),
  upload,
  download: () => download(),
};

if (import.meta.main) {
  const [port, seconds] = process.argv.slice(2).map(Number) as [number, number];
  const endMs = performance.now() + seconds * 1000;
  slowMs = Math.min(slowMs, seconds * 500);
  const run = async (kind: string, next: () => Exchange) => {
    while (performance.now() < endMs) {
      const wrong = await carry(port, next());
      if (wrong === null) seen.done[kind] = (seen.done[kind] ?? 0) + 1;
      else fault(kind, wrong);
      // As people do: and the machine has other work.
      await Bun.sleep(5 + below(20));
    }
  };
  const all = Object.entries(kinds).flatMap(([kind, next]) =>
    Array.from({ length: counts[kind] ?? 1 }, () => run(kind, next)),
  );
  await Promise.all(all);
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  process.exit(0);
}
