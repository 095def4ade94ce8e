/**
 * One request of a `serve` worker, as observers get it. Bun.serve doesn't tell when an answer is out: it is told when
 * the app has made it. Nor does it tell the request's own bytes: HTTP/1.0 is taken for 1.1, and repeated fields come as
 * one list.
 */
import { bodyInit, bodyKind, hasNoBody } from "../../http/response/globals/body.ts";
import { rawPath } from "../../log/access/request-facts.ts";
import type { RequestFacts, RequestObserver, RequestRecord } from "../../api/request-record.ts";
import type { Trace } from "../../api/trace.ts";
import { environOf, type Surroundings } from "./cgi-variables.ts";
import { knownTrace } from "./traces.ts";
import { noAnswer } from "./recorded.ts";

export class ServeRecord implements RequestRecord, Surroundings {
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly clientAddress: string;
  readonly remotePort: number | null;
  readonly serverName: string;
  readonly serverPort: number | null;
  readonly scheme: "http" | "https";
  readonly scriptName = "";
  /** Bun.serve doesn't tell. */
  readonly tls = null;
  status = noAnswer;
  bodyBytes = 0;
  durationUs = 0;
  readonly #request: Request;
  /** Bun makes it when it is first asked for, and then only it hears that the client leaves. */
  readonly #signal: AbortSignal;
  readonly #startedMs = performance.now();
  #response: Response | null = null;

  constructor(
    facts: RequestFacts,
    request: Request,
    server: Bun.Server<unknown>,
    protocol: string,
    secure: boolean,
  ) {
    this.protocol = protocol;
    this.scheme = secure ? "https" : "http";
    this.method = facts.method;
    this.target = facts.target;
    const client = server.requestIP(request);
    this.clientAddress = client?.address ?? "";
    this.remotePort = client?.port ?? null;
    this.serverName = server.hostname ?? "";
    this.serverPort = server.port ?? null;
    this.#request = request;
    this.#signal = request.signal;
  }

  /** Tells the observers. `response` is what is sent; `own` is false when the server has made it. */
  answered(observers: readonly RequestObserver[], response: Response, own: boolean): void {
    this.durationUs = Math.round((performance.now() - this.#startedMs) * 1000);
    if (!this.#signal.aborted) {
      this.status = response.status;
      this.bodyBytes = this.method === "HEAD" ? 0 : bodyBytesOf(response);
    }
    if (own) this.#response = response;
    for (const observer of observers) observer.answered(this);
  }

  get trace(): Trace | null {
    return knownTrace(this.#request);
  }

  get pathInfo(): string {
    return rawPath(this);
  }

  requestHeader(name: string): string | null {
    return this.#request.headers.get(name);
  }

  responseHeader(name: string): string | null {
    return this.#response?.headers.get(name) ?? null;
  }

  environ(name: string): string | null {
    return environOf(this, this, name);
  }

  headerValues(name: string): string | null {
    return this.requestHeader(name);
  }
}

/** How many bytes the body has, by what the Response was made from; -1 if that doesn't tell. */
function bodyBytesOf(response: Response): number {
  const { status } = response;
  if (status === 101 || hasNoBody(status)) return 0;
  const init = bodyInit(response);
  switch (bodyKind(init)) {
    case "none":
      return 0;
    case "text":
      return Buffer.byteLength(String(init));
    case "json text": {
      // Response.json(): only its text tells.
      const text = response.bodyUsed ? null : Bun.peek(response.clone().text());
      return typeof text === "string" ? Buffer.byteLength(text) : -1;
    }
    case "bytes":
      return ArrayBuffer.isView(init) || init instanceof ArrayBuffer ? init.byteLength : -1;
    case "blob": {
      const { size } = init as Blob;
      return Number.isFinite(size) ? size : -1;
    }
    case "stream":
      return -1;
    default:
      return -1;
  }
}
