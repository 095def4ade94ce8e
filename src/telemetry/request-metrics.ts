/**
 * The metrics of answered requests that wait for a datagram: a duration for each request, and two counters, of all
 * requests and of its status. Few requests have counters of their own, as Gunicorn sends them; of more than a datagram
 * holds so, each counter is one line with the sum, which a statsD server adds up to the same (bench: statsd, where the
 * cost is in the datagrams).
 */

/** Room for one digit more in a sum: a datagram doesn't hold 100 durations. */
const digitBytes = 1;

interface Counter {
  readonly name: string;
  /** The length of its line with the value 1, line feed included. */
  readonly bytes: number;
  /** How many requests wait. */
  count: number;
}

export class RequestMetrics {
  readonly #prefix: string;
  readonly #tags: string;
  readonly #durationName: string;
  readonly #durationBytes: number;
  readonly #requests: Counter;
  readonly #byStatus = new Map<number, Counter>();
  /** The duration of each request that waits, and the counter of its status. */
  readonly #durations: string[] = [];
  readonly #counters: Counter[] = [];
  #summedBytes = 0;
  #singleBytes = 0;

  /** @param prefix with its dot; @param tags as they stand behind a metric */
  constructor(prefix: string, tags: string) {
    this.#prefix = prefix;
    this.#tags = tags;
    this.#durationName = `${prefix}gunicorn.request.duration`;
    this.#durationBytes = Buffer.byteLength(`${this.#durationName}:|ms${tags}\n`);
    this.#requests = this.#counter("requests");
  }

  /** How many bytes wait at most, with a line feed behind each line. */
  get bytes(): number {
    return this.#summedBytes;
  }

  /** Adds a request if what waits then takes at most `room` bytes; answers whether it has. */
  add(status: number, durationUs: number, room: number): boolean {
    const duration = milliseconds(durationUs);
    const counter = this.#byStatus.get(status) ?? this.#counterOf(status);
    const durationBytes = this.#durationBytes + duration.length;
    let bytes = this.#summedBytes + durationBytes;
    if (this.#requests.count === 0) bytes += this.#requests.bytes + digitBytes;
    if (counter.count === 0) bytes += counter.bytes + digitBytes;
    if (bytes > room) return false;
    this.#summedBytes = bytes;
    this.#singleBytes += durationBytes + this.#requests.bytes + counter.bytes;
    this.#requests.count += 1;
    counter.count += 1;
    this.#durations.push(duration);
    this.#counters.push(counter);
    return true;
  }

  /** What waits, as lines: request by request if that takes at most `room` bytes. Nothing waits then. */
  take(room: number): string[] {
    if (this.#durations.length === 0) return [];
    const lines = this.#singleBytes <= room ? this.#singly() : this.#summed();
    for (const counter of this.#counters) counter.count = 0;
    this.#requests.count = 0;
    this.#durations.length = 0;
    this.#counters.length = 0;
    this.#summedBytes = 0;
    this.#singleBytes = 0;
    return lines;
  }

  #singly(): string[] {
    return this.#counters.flatMap((counter, index) => [
      this.#durationLine(this.#durations[index] as string),
      this.#line(this.#requests, 1),
      this.#line(counter, 1),
    ]);
  }

  #summed(): string[] {
    const counters = [this.#requests, ...new Set(this.#counters)];
    return [
      ...this.#durations.map((duration) => this.#durationLine(duration)),
      ...counters.map((counter) => this.#line(counter, counter.count)),
    ];
  }

  #durationLine(duration: string): string {
    return `${this.#durationName}:${duration}|ms${this.#tags}`;
  }

  #line({ name }: Counter, value: number): string {
    return `${name}:${value}|c|@1.0${this.#tags}`;
  }

  #counterOf(status: number): Counter {
    const counter = this.#counter(`request.status.${status}`);
    this.#byStatus.set(status, counter);
    return counter;
  }

  #counter(what: string): Counter {
    const name = `${this.#prefix}gunicorn.${what}`;
    return { name, bytes: Buffer.byteLength(`${name}:1|c|@1.0${this.#tags}\n`), count: 0 };
  }
}

/** Texts of durations up to 16 ms, by microseconds: to spell a fraction is what costs most (bench: statsd). */
const shortUs = 16_384;
const shortDurations = Array.from({ length: shortUs }, () => "");

function milliseconds(durationUs: number): string {
  const us = Math.round(durationUs);
  if (us >= shortUs) return spell(us);
  return (shortDurations[us] ||= spell(us));
}

/** A duration as Python writes a float. */
function spell(us: number): string {
  const ms = us / 1000;
  return Number.isInteger(ms) ? `${ms}.0` : `${ms}`;
}
