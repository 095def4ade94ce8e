/**
 * Metrics for a statsD server, with Gunicorn's names, packed into few datagrams. Nothing here waits, and nothing tells:
 * a datagram that isn't taken is lost, as UDP has it.
 */
import type { Metric } from "../api/log.ts";
import type { ConfigData } from "../config/types.ts";
import { parseStatsdAddress } from "../net/telemetry-address.ts";
import type { RequestObserver, RequestRecord } from "../api/request-record.ts";
import { type Channel, DatagramChannel, targetOf } from "./channel.ts";
import { RequestMetrics } from "./request-metrics.ts";

/** What an Ethernet frame holds beside the heads of IPv6 and UDP, with room for a tunnel's. */
const datagramBytes = 1432;
const lineFeedBytes = 1;
const flushMs = 1000;
/** How many datagrams wait for the look-up of the host's name. */
const keptDatagrams = 64;
/**
 * After a send that failed, the next is tried so much later, and each time twice as late: a failure costs more than
 * what it loses.
 */
const firstPauseMs = 10;
const lastPauseMs = 1000;

const encoder = new TextEncoder();

export type StatsdSettings = Pick<ConfigData, "statsdHost" | "statsdPrefix" | "dogstatsdTags">;

/**
 * The metrics; null without statsd_host. Opens at once; a host's name is looked up in the background.
 * @param onProblem told once that it can't be looked up
 * @throws ConfigError for what isn't an address
 */
export function openStatsd(
  settings: StatsdSettings,
  onProblem: (message: string) => void,
): Statsd | null {
  const { statsdHost, statsdPrefix, dogstatsdTags } = settings;
  if (statsdHost === null) return null;
  const target = targetOf(parseStatsdAddress(statsdHost), onProblem);
  return new Statsd(new DatagramChannel(target), statsdPrefix, dogstatsdTags);
}

export class Statsd implements RequestObserver {
  readonly #channel: Pick<Channel, "send" | "close">;
  readonly #prefix: string;
  readonly #tags: string;
  readonly #requests: RequestMetrics;
  readonly #packet = new Uint8Array(datagramBytes);
  /** Other metrics that wait, with a line feed behind each. */
  #lines = "";
  #bytes = 0;
  /** Full datagrams that wait for an address, the oldest first. */
  #kept: Uint8Array[] = [];
  #timer: Timer | null = null;
  /** When the next send may be tried; 0 while all goes well. */
  #pausedUntilMs = 0;
  #pauseMs = firstPauseMs;
  readonly #nowMs: () => number;

  /** @param nowMs a clock that only goes forward */
  constructor(
    channel: Pick<Channel, "send" | "close">,
    prefix: string,
    tags: string,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#channel = channel;
    this.#nowMs = nowMs;
    // Gunicorn: exactly one dot behind the prefix.
    const name = prefix.replace(/\.+$/, "");
    this.#prefix = name === "" ? "" : `${name}.`;
    this.#tags = tags === "" ? "" : `|#${tags}`;
    this.#requests = new RequestMetrics(this.#prefix, this.#tags);
  }

  /** Takes in a request. Between two datagrams there is no system call (bench: statsd). */
  answered({ status, durationUs }: RequestRecord): void {
    const room = datagramBytes + lineFeedBytes - this.#bytes;
    if (!this.#requests.add(status, durationUs, room)) {
      this.flush();
      this.#requests.add(status, durationUs, Number.POSITIVE_INFINITY);
    }
    if (this.#timer === null) this.#arm();
  }

  gauge(name: string, value: number): void {
    this.#emit(name, value, "g");
  }

  increment(name: string, value = 1): void {
    this.#emit(name, value, "c|@1.0");
  }

  histogram(name: string, value: number): void {
    this.#emit(name, value, "h");
  }

  timer(name: string, ms: number): void {
    this.#emit(name, ms, "ms");
  }

  /** Takes the metric of a log call; a type that isn't one is dropped, as in Gunicorn. */
  send({ metric, value, mtype }: Metric): void {
    switch (mtype) {
      case "gauge":
        return this.gauge(metric, value);
      case "counter":
        return this.increment(metric, value);
      case "histogram":
        return this.histogram(metric, value);
      case "timer":
        return this.timer(metric, value);
      default:
        // A JavaScript app may write anything.
        return mtype satisfies never;
    }
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const sent = this.#kept.findIndex((each) => !this.#leaves(each));
    this.#kept.splice(0, sent === -1 ? this.#kept.length : sent);
    const room = datagramBytes + lineFeedBytes - this.#bytes;
    const text = this.#lines + this.#requests.take(room).join("\n");
    this.#lines = "";
    this.#bytes = 0;
    if (text !== "") this.#send(text.endsWith("\n") ? text.slice(0, -1) : text);
    if (this.#kept.length > keptDatagrams) this.#kept.shift();
    if (this.#kept.length > 0) this.#arm();
  }

  close(): void {
    this.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#channel.close();
  }

  #send(text: string): void {
    // The same memory each time: nothing is left for the garbage collector but texts.
    const { read, written } = encoder.encodeInto(text, this.#packet);
    if (read < text.length) return this.#sendInParts(text);
    this.#sendDatagram(this.#packet.subarray(0, written));
  }

  /** Tags so long that the metrics of one request don't fit together, or one metric that is too long by itself. */
  #sendInParts(text: string): void {
    const cut = text.lastIndexOf("\n");
    if (cut === -1) return this.#sendDatagram(Buffer.from(text));
    this.#send(text.slice(0, cut));
    this.#send(text.slice(cut + 1));
  }

  #sendDatagram(datagram: Uint8Array): void {
    const waits = this.#kept.length > 0 || !this.#leaves(datagram);
    if (waits) this.#kept.push(datagram.slice());
  }

  /** Sends or loses; answers false if the address isn't known yet. */
  #leaves(datagram: Uint8Array): boolean {
    if (this.#pausedUntilMs > 0 && this.#nowMs() < this.#pausedUntilMs) return true;
    const sent = this.#channel.send(datagram);
    if (sent === "not now" || sent === "other kind") {
      this.#pausedUntilMs = this.#nowMs() + this.#pauseMs;
      this.#pauseMs = Math.min(lastPauseMs, this.#pauseMs * 2);
    } else {
      this.#pausedUntilMs = 0;
      this.#pauseMs = firstPauseMs;
    }
    return sent !== "no address";
  }

  #emit(name: string, value: number, kind: string): void {
    // What statsD can't read, or an app that isn't typed.
    if (!Number.isFinite(value) || typeof name !== "string" || name === "") return;
    // What would end the name, or the metric.
    const clean = name.replaceAll(/[\0-\x1f:|]/g, "_");
    const line = `${this.#prefix}${clean}:${value}|${kind}${this.#tags}`;
    this.#add(line);
  }

  #add(line: string): void {
    const bytes = Buffer.byteLength(line) + lineFeedBytes;
    const waiting = this.#bytes + this.#requests.bytes;
    // The last line of a datagram has no line feed.
    if (waiting > 0 && waiting + bytes > datagramBytes + lineFeedBytes) this.flush();
    this.#lines += `${line}\n`;
    this.#bytes += bytes;
    if (this.#timer === null) this.#arm();
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.flush(), flushMs);
    this.#timer.unref();
  }
}
