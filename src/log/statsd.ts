/**
 * Metrics for a statsD server, with Gunicorn's names, packed into few datagrams. Nothing here waits, and nothing tells: a
 * datagram that isn't taken is lost, as UDP has it.
 */
import { ConfigError } from "../config/errors.ts";
import type { Metric } from "../config/hooks.ts";
import type { ConfigData } from "../config/types.ts";
import { parseStatsdAddress } from "../telemetry-address.ts";
import { type Channel, DatagramChannel, targetOf } from "./channel.ts";
import type { RequestObserver, RequestRecord } from "./request-record.ts";

/** What an Ethernet frame holds beside the heads of IPv6 and UDP, with room for a tunnel's. */
const datagramBytes = 1432;
const flushMs = 1000;
/** What waits for the look-up of the host's name. */
const keptDatagrams = 64;

const encoder = new TextEncoder();

export type StatsdSettings = Pick<ConfigData, "statsdHost" | "statsdPrefix" | "dogstatsdTags">;

/**
 * Null without statsd_host. Opens at once; a host's name is looked up in the background.
 * @param onProblem told once that it can't be looked up
 * @throws ConfigError for a path that is too long for a socket
 */
export function openStatsd(
  settings: StatsdSettings,
  onProblem: (message: string) => void,
): Statsd | null {
  const { statsdHost, statsdPrefix, dogstatsdTags } = settings;
  if (statsdHost === null) return null;
  try {
    const target = targetOf(parseStatsdAddress(statsdHost), onProblem);
    return new Statsd(new DatagramChannel(target), statsdPrefix, dogstatsdTags);
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError(`statsdHost: ${error.message}`);
    throw error;
  }
}

/** The metrics of a request, but for the number of its duration. */
interface Answer {
  /** What stands behind the number. */
  readonly rest: string;
  /** Of all but the number. */
  readonly bytes: number;
}

export class Statsd implements RequestObserver {
  readonly #channel: Pick<Channel, "send" | "close">;
  readonly #prefix: string;
  readonly #tags: string;
  readonly #durationHead: string;
  /** By status. */
  readonly #answers = new Map<number, Answer>();
  readonly #packet = new Uint8Array(datagramBytes);
  /** Metrics that wait, with line feeds between. */
  #lines = "";
  #bytes = 0;
  /** Full datagrams that wait for an address, the oldest first. */
  #kept: Uint8Array[] = [];
  #timer: Timer | null = null;

  constructor(channel: Pick<Channel, "send" | "close">, prefix: string, tags: string) {
    this.#channel = channel;
    // Gunicorn: exactly one dot behind the prefix.
    const name = prefix.replace(/\.+$/, "");
    this.#prefix = name === "" ? "" : `${name}.`;
    this.#tags = tags === "" ? "" : `|#${tags}`;
    this.#durationHead = `${this.#prefix}gunicorn.request.duration:`;
  }

  answered({ status, durationUs }: RequestRecord): void {
    // The parts that stay the same are made, and measured, once for each status (bench: statsd).
    const answer = this.#answers.get(status) ?? this.#answerOf(status);
    const duration = milliseconds(durationUs);
    const lines = this.#durationHead + duration + answer.rest;
    const bytes = answer.bytes + duration.length;
    if (bytes <= datagramBytes) this.#add(lines, bytes);
    else for (const line of lines.split("\n")) this.#add(line, Buffer.byteLength(line));
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

  /** What a log call carries; a kind that isn't one is dropped, as in Gunicorn. */
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
    const sent = this.#kept.findIndex((each) => this.#channel.send(each) === "no address");
    this.#kept.splice(0, sent === -1 ? this.#kept.length : sent);
    if (this.#bytes > 0) {
      const datagram = this.#encode();
      const waits = this.#kept.length > 0 || this.#channel.send(datagram) === "no address";
      if (waits) this.#kept.push(datagram.slice());
    }
    this.#lines = "";
    this.#bytes = 0;
    if (this.#kept.length > keptDatagrams) this.#kept.shift();
    if (this.#kept.length > 0) this.#arm();
  }

  close(): void {
    this.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#channel.close();
  }

  /** Into the same memory each time: the hot path leaves nothing for the garbage collection but texts. */
  #encode(): Uint8Array {
    // One metric alone may be longer.
    if (this.#bytes > datagramBytes) return Buffer.from(this.#lines);
    return this.#packet.subarray(0, encoder.encodeInto(this.#lines, this.#packet).written);
  }

  #answerOf(status: number): Answer {
    const counter = (name: string) => `${this.#prefix}gunicorn.${name}:1|c|@1.0${this.#tags}`;
    const counters = `${counter("requests")}\n${counter(`request.status.${status}`)}`;
    const rest = `|ms${this.#tags}\n${counters}`;
    const answer = { rest, bytes: Buffer.byteLength(this.#durationHead + rest) };
    this.#answers.set(status, answer);
    return answer;
  }

  #emit(name: string, value: number, kind: string): void {
    // A value that statsD can't read, or an app that isn't typed.
    if (!Number.isFinite(value)) return;
    // What would end the name, or the metric.
    const clean = name.replaceAll(/[\0-\x1f:|]/g, "_");
    const line = `${this.#prefix}${clean}:${value}|${kind}${this.#tags}`;
    this.#add(line, Buffer.byteLength(line));
  }

  /** Between two flushes there is no system call, unless a datagram is full. */
  #add(lines: string, bytes: number): void {
    if (this.#bytes > 0 && this.#bytes + 1 + bytes > datagramBytes) this.flush();
    this.#lines = this.#bytes === 0 ? lines : `${this.#lines}\n${lines}`;
    this.#bytes += this.#bytes === 0 ? bytes : bytes + 1;
    if (this.#timer === null) this.#arm();
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.flush(), flushMs);
    this.#timer.unref();
  }
}

/** As Python writes a float. */
function milliseconds(durationUs: number): string {
  const ms = Math.round(durationUs) / 1000;
  return Number.isInteger(ms) ? `${ms}.0` : `${ms}`;
}
