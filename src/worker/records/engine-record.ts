/**
 * Tells the observers of each request of an `async` worker. Invariant: one object for all, filled, shown and emptied
 * before anything else can run; without observers there is none, and nothing is measured.
 */
import type { AppServer } from "../../app/server.ts";
import type { Scheme } from "../../http/proxy/forwarded.ts";
import { allValues, lastValue } from "../../http/syntax/find-field.ts";
import type { Head } from "../../http/syntax/head.ts";
import type { MessageReader } from "../../http/request/message-reader.ts";
import type { RequestObserver, RequestRecord, TlsFacts } from "../../api/request-record.ts";
import { rawPath } from "../../log/access/request-facts.ts";
import type { Trace } from "../../api/trace.ts";
import { environOf, mountOf, type Surroundings } from "./cgi-variables.ts";
import { knownTrace, traceOfExchange } from "./traces.ts";
import type { RecordedClient } from "./recorded.ts";

/** What a request was sent to: the app's second argument. */
type RecordedServer = Pick<AppServer, "address" | "port" | "protocol">;

/** A request that came to the app, or nearly. */
export interface AnsweredRequest {
  readonly head: Head;
  readonly scheme: Scheme;
  readonly client: RecordedClient;
  readonly server: RecordedServer;
  /** The app's answer; null if the server has made one, or there is none. */
  readonly response: Response | null;
  /** When the app was asked, by performance.now(); -1 if it wasn't. */
  readonly startedMs: number;
}

/** A request that was refused before that. */
export interface RefusedRequest {
  readonly client: RecordedClient;
  readonly server: RecordedServer;
  /** Null if not even a byte of HTTP has come. */
  readonly reader: MessageReader | null;
}

const requestLine = /^([^ ]+) ([^ ]+) (HTTP\/[0-9]\.[0-9])$/;

export class EngineRecord implements RequestRecord, Surroundings {
  status = 0;
  bodyBytes = 0;
  scheme: Scheme = "http";
  readonly #observers: readonly RequestObserver[];
  /** By performance.now(); -1 if the app wasn't asked. */
  #startedMs = -1;
  /** -1 until somebody asks: the clock costs something (bench: traces). */
  #durationUs = 0;
  #client: RecordedClient | null = null;
  #server: RecordedServer | null = null;
  /** Who answers, or has. */
  #owner: AnsweredRequest | null = null;
  #head: Head | null = null;
  #response: Response | null = null;
  /** The method in the line of a request without a head, as the next two. */
  #method = "";
  #target = "";
  #protocol = "";

  constructor(observers: readonly RequestObserver[]) {
    this.#observers = observers;
  }

  /** The answer to a request is out, or won't be. */
  answered(request: AnsweredRequest, status: number, bodyBytes: number): void {
    this.scheme = request.scheme;
    this.#response = request.response;
    this.#owner = request;
    this.#head = request.head;
    this.#startedMs = request.startedMs;
    this.#durationUs = -1;
    this.#tell(request, status, bodyBytes);
  }

  /** A request was refused before it came to an exchange. */
  refused(request: RefusedRequest, status: number, bodyBytes: number): void {
    const { reader } = request;
    this.scheme = request.server.protocol;
    this.#durationUs = 0;
    if (reader?.hasHead === true) this.#head = reader.head;
    else this.#takeLine(reader?.requestLine ?? "");
    this.#tell(request, status, bodyBytes);
  }

  // Texts are made when somebody asks: metrics don't (bench: statsd).

  get method(): string {
    return this.#head === null ? this.#method : this.#head.method;
  }

  get target(): string {
    return this.#head === null ? this.#target : this.#head.target;
  }

  get protocol(): string {
    const head = this.#head;
    if (head === null) return this.#protocol;
    // `HTTP/1.1` stands behind the target and a blank, and has eight bytes.
    return head.text.slice(head.targetEnd + 1, head.targetEnd + 9);
  }

  get notes(): string[] | null {
    return this.#head === null ? null : this.#head.notes;
  }

  get clientAddress(): string {
    return this.#client?.clientAddress ?? "";
  }

  get tls(): TlsFacts | null {
    return this.#client?.tls ?? null;
  }

  get durationUs(): number {
    if (this.#durationUs !== -1) return this.#durationUs;
    const started = this.#startedMs;
    this.#durationUs = started === -1 ? 0 : Math.round((performance.now() - started) * 1000);
    return this.#durationUs;
  }

  get trace(): Trace | null {
    const owner = this.#owner;
    return owner === null || owner.startedMs === -1 ? null : traceOfExchange(owner);
  }

  /** At no cost for the others. */
  get sampledTrace(): Trace | null {
    return this.#owner === null ? null : knownTrace(this.#owner);
  }

  requestHeader(name: string): string | null {
    return this.#head === null ? null : lastValue(this.#head, name);
  }

  responseHeader(name: string): string | null {
    return this.#response?.headers.get(name) ?? null;
  }

  environ(name: string): string | null {
    return environOf(this, this, name);
  }

  get remotePort(): number | null {
    return this.#client?.address?.port ?? null;
  }

  get serverName(): string {
    const address = this.#server?.address ?? "";
    return typeof address === "string" ? address : address.address;
  }

  get serverPort(): number | null {
    return this.#server?.port ?? null;
  }

  get scriptName(): string {
    return mountOf(this.target, this.#head?.appTarget ?? null);
  }

  get pathInfo(): string {
    const appTarget = this.#head?.appTarget ?? null;
    return appTarget === null ? rawPath(this) : (appTarget.split("?")[0] as string);
  }

  headerValues(name: string): string | null {
    return this.#head === null ? null : allValues(this.#head, name);
  }

  #takeLine(line: string): void {
    const found = requestLine.exec(line);
    this.#method = found?.[1] ?? "";
    this.#target = found?.[2] ?? line;
    this.#protocol = found?.[3] ?? "";
  }

  #tell(
    { client, server }: { readonly client: RecordedClient; readonly server: RecordedServer },
    status: number,
    bodyBytes: number,
  ): void {
    this.status = status;
    this.bodyBytes = bodyBytes;
    this.#client = client;
    this.#server = server;
    // No iterator per request (bench: access-log).
    for (let index = 0; index < this.#observers.length; index++) {
      this.#observers[index]!.answered(this);
    }
    this.#client = null;
    this.#server = null;
    this.#head = null;
    this.#response = null;
    this.#owner = null;
  }
}
