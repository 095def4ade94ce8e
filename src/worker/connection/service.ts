/** What all connections of an `async` worker share: its parts, its clock, and the list of the connections themselves. */
import type { AppServer } from "../../app/server.ts";
import type { ConfigData } from "../../config/types.ts";
import { refreshDate } from "../../http/response/date.ts";
import {
  compileSchemeHeaders,
  readScheme,
  readScriptName,
  type Scheme,
  type SchemeHeaders,
  splitScriptName,
} from "../../http/proxy/forwarded.ts";
import type { Head } from "../../http/syntax/head.ts";
import { type Limits, limitsFrom } from "../../http/limits.ts";
import { MessageReader } from "../../http/message/message-reader.ts";
import type { ParserOptions } from "../../http/syntax/parser.ts";
import type { ProxyMode } from "../../http/proxy/proxy-protocol.ts";
import { createTrust } from "../../net/trust.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import type { Log } from "../../log/error-log.ts";
import type { RequestObserver } from "../../api/request-record.ts";
import type { Connection } from "./connection.ts";
import type { Handler } from "../exchange/handler.ts";
import type { SocketFacts } from "./deadlines.ts";
import { RequestReporter } from "../records/engine-record.ts";

/** The step of the connections' clock: timeouts are late by at most this. */
export const tickMs = 250;

/** How long a client may take to close after the last answer. */
const lingerSeconds = 2;

/** How many peers' addresses are remembered with the verdict about them. */
const rememberedPeers = 1024;

export function ticksOf(seconds: number): number {
  // One more: the first tick may come at once.
  return seconds <= 0 ? 0 : Math.ceil((seconds * 1000) / tickMs) + 1;
}

/** How many idle readers are kept for the next requests. */
const spareReaders = 64;

type PlaceError = "contradictory scheme headers" | "path outside script name";

export class Service {
  readonly limits: Limits;
  readonly handler: Handler;
  readonly log: Log;
  /** Null if nobody wants to know of requests. */
  readonly reporter: RequestReporter | null;
  readonly parserOptions: ParserOptions;
  readonly maxBodyBytes: number;
  readonly proxyMode: ProxyMode;
  /** Whether the peer is in proxy_allow_ips. */
  readonly mayProxy: (address: string | undefined) => boolean;
  readonly maxConnections: number;
  readonly lingerTicks = ticksOf(lingerSeconds);
  readonly keepAliveTicks: number;
  readonly headTicks: number;
  readonly bodyTicks: number;
  readonly writeTicks: number;
  /** How long the app may be mum when its client has sent FIN; 0: not at all. */
  readonly graceTicks: number;
  readonly facts: SocketFacts;
  draining = false;
  readonly #connections = new Set<Connection>();
  readonly #scores: ScoreboardRow;
  readonly #schemeHeaders: SchemeHeaders;
  /** The environment variable SCRIPT_NAME: where the app is mounted; empty for the root. */
  readonly #scriptName: string;
  /** forwarder_headers lets a trusted peer name the mount. */
  readonly #scriptNameHeader: boolean;
  readonly #isTrusted: (address: string | undefined) => boolean;
  readonly #readers: MessageReader[] = [];
  readonly #verdicts = new Map<string | undefined, boolean>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #empty: PromiseWithResolvers<void> | null = null;

  constructor(parts: {
    readonly config: ConfigData;
    readonly handler: Handler;
    readonly log: Log;
    readonly observers: readonly RequestObserver[];
    readonly scores: ScoreboardRow;
    readonly scriptName: string;
    readonly facts: SocketFacts;
  }) {
    const { config, observers } = parts;
    this.reporter = observers.length === 0 ? null : new RequestReporter(observers);
    this.limits = limitsFrom(config);
    this.parserOptions = {
      permitUnconventionalMethod: config.permitUnconventionalHttpMethod,
      permitUnconventionalVersion: config.permitUnconventionalHttpVersion,
      casefoldMethod: config.casefoldHttpMethod,
      stripHeaderSpaces: config.stripHeaderSpaces,
      permitObsoleteFolding: config.permitObsoleteFolding,
      headerMap: config.headerMap,
      forwarderHeaders: config.forwarderHeaders,
    };
    this.maxBodyBytes =
      config.limitRequestBody === 0 ? Number.POSITIVE_INFINITY : config.limitRequestBody;
    this.maxConnections = config.workerConnections;
    this.headTicks = ticksOf(config.headerTimeout);
    this.bodyTicks = ticksOf(config.bodyTimeout);
    this.writeTicks = ticksOf(config.writeTimeout);
    this.graceTicks = ticksOf(config.asgiDisconnectGracePeriod);
    this.facts = parts.facts;
    this.#isTrusted = createTrust(config.forwardedAllowIps);
    this.proxyMode = config.proxyProtocol;
    this.mayProxy = createTrust(config.proxyAllowIps);
    this.#schemeHeaders = compileSchemeHeaders(
      config.secureSchemeHeaders as Record<string, string>,
    );
    this.#scriptName = parts.scriptName;
    this.#scriptNameHeader = ["SCRIPT_NAME", "*"].some((name) =>
      config.forwarderHeaders.includes(name),
    );
    this.handler = parts.handler;
    this.log = parts.log;
    this.keepAliveTicks = ticksOf(config.keepalive);
    this.#scores = parts.scores;
  }

  /** Lets time pass. To be called any number of times. */
  start(): void {
    // A count of ticks, not of milliseconds: while the loop is blocked, nobody's time runs out.
    this.#timer ??= setInterval(() => this.tick(), tickMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** One step of all connections' clocks. */
  tick(): void {
    refreshDate(Date.now());
    for (const connection of this.#connections) connection.tick();
  }

  /** Whether the peer is in forwarded_allow_ips. */
  trusts(address: string | undefined): boolean {
    const known = this.#verdicts.get(address);
    if (known !== undefined) return known;
    const verdict = this.#isTrusted(address);
    if (this.#verdicts.size >= rememberedPeers) this.#verdicts.clear();
    this.#verdicts.set(address, verdict);
    return verdict;
  }

  /**
   * Sees to what stands around the app: the scheme that a trusted proxy reports, and the path that the app is
   * mounted at, which is taken off the target that it sees. Answers the scheme, or why the request is refused.
   */
  place(head: Head, trusted: boolean): Scheme | PlaceError {
    let scheme: Scheme = "http";
    let mount = this.#scriptName;
    if (trusted) {
      const said = readScheme(head, this.#schemeHeaders, scheme);
      if (said !== "http" && said !== "https") return said;
      scheme = said;
      if (this.#scriptNameHeader) mount = readScriptName(head) ?? mount;
    }
    if (mount === "" || head.targetForm !== "origin") return scheme;
    const rest = splitScriptName(head.target, mount);
    if (rest === null) return "path outside script name";
    head.appTarget = rest;
    return scheme;
  }

  /** A reader for a connection on which a request begins. */
  lendReader(trusted: boolean): MessageReader {
    const reader =
      this.#readers.pop() ?? new MessageReader(this.limits, this.parserOptions, this.maxBodyBytes);
    reader.trusted = trusted;
    return reader;
  }

  /** Takes a reader that has read a whole request, and nothing of the next; the connection holds none then. */
  takeBack(reader: MessageReader | null): null {
    reader?.forget();
    if (reader?.idle === true && this.#readers.length < spareReaders) this.#readers.push(reader);
    return null;
  }

  get connections(): number {
    return this.#connections.size;
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
    this.#scores.connections = this.#connections.size;
    if (this.draining) connection.drain();
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection);
    this.#scores.connections = this.#connections.size;
    if (this.#connections.size === 0) this.#empty?.resolve();
  }

  /** From now on answers say `Connection: close`, and idle clients have until keepalive for one more request. */
  drain(): void {
    this.draining = true;
    for (const connection of this.#connections) connection.drain();
  }

  /** Resolves when no connection is open. */
  async emptied(): Promise<void> {
    if (this.#connections.size === 0) return;
    this.#empty = Promise.withResolvers();
    await this.#empty.promise;
  }
}

/** Where a connection was accepted: what its requests' URLs and the app's second argument say. */
export interface Entrance {
  readonly service: Service;
  readonly server: AppServer;
  /** The authority of requests without Host: `127.0.0.1:8000`. */
  readonly host: string;
}
