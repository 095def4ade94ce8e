/**
 * The Request that apps get: a real one as far as they can tell, but nothing of it is built until it is touched.
 *
 * It inherits from Request.prototype and has no native slot. Bun's native code (new Request(), fetch()) reads the
 * getters then, so each of them is overridden here. What can't be lazy, such as clone(), makes a native Request.
 */
import type { RequestBody } from "./body.ts";
import { convertNothing, throwUsedClone } from "./body-convert.ts";
import type { BodyKind, BodyResult } from "./body-convert.ts";
import { createHeaders, disguise } from "./request-headers.ts";
import type { HeaderFields } from "./request-headers.ts";
import { requestUrl } from "./request-url.ts";
import type { RequestTarget } from "./request-url.ts";

/** What a request is made from. It must not change afterwards: give the parser's head away with takeHead(). */
export interface RequestHead extends HeaderFields, RequestTarget {
  readonly method: string;
}

/** The native classes, taken before a worker replaces the globals. */
const NativeRequest = Request;
const NativeResponse = Response;

/** Who is called when a request is aborted; few are, so that none has a field for it (bench: hello). */
const aborters = new WeakMap<object, (reason: unknown) => void>();

class LazyRequest {
  readonly #head: RequestHead;
  readonly #scheme: string;
  readonly #fallbackHost: string;
  readonly #body: RequestBody | null;
  readonly #owner: unknown;
  #url: string | null = null;
  #headers: Headers | null = null;
  #controller: AbortController | null = null;
  #abortReason: unknown = undefined;

  constructor(
    head: RequestHead,
    scheme: string,
    fallbackHost: string,
    body: RequestBody | null,
    owner: unknown,
  ) {
    this.#head = head;
    this.#scheme = scheme;
    this.#fallbackHost = fallbackHost;
    this.#body = body;
    this.#owner = owner;
  }

  get method(): string {
    return this.#head.method;
  }

  get url(): string {
    this.#url ??= requestUrl(this.#head, this.#scheme, this.#fallbackHost);
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= createHeaders(this.#head);
    return this.#headers;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#body === null ? null : this.#body.stream;
  }

  get bodyUsed(): boolean {
    return this.#body !== null && this.#body.used;
  }

  text(): Promise<string> {
    return this.#read("text");
  }

  json(): Promise<unknown> {
    return this.#read("json");
  }

  bytes(): Promise<Uint8Array> {
    return this.#read("bytes");
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#read("arrayBuffer");
  }

  blob(): Promise<Blob> {
    return this.#read("blob");
  }

  formData(): Promise<FormData> {
    return this.#read("formData");
  }

  textStream(): unknown {
    return textStream.call(new NativeResponse(this.body));
  }

  clone(): Request {
    if (this.bodyUsed) throwUsedClone();
    return this.#materialise();
  }

  // What Bun.serve's requests say, whatever the client sent.
  get cache(): string {
    return "default";
  }

  get credentials(): string {
    return "include";
  }

  get destination(): string {
    return "";
  }

  get integrity(): string {
    return "";
  }

  get mode(): string {
    return "cors";
  }

  get redirect(): string {
    return "follow";
  }

  get referrer(): string {
    return "";
  }

  get referrerPolicy(): string {
    return "";
  }

  static isLazy(value: unknown): value is LazyRequest {
    return typeof value === "object" && value !== null && #head in value;
  }

  static abort(request: LazyRequest, reason: unknown): void {
    if (request.#abortReason !== undefined) return;
    request.#abortReason = reason;
    request.#controller?.abort(reason);
    aborters.get(request)?.(reason);
  }

  static whenAborted(request: LazyRequest, call: ((reason: unknown) => void) | null): void {
    if (call === null) aborters.delete(request);
    else aborters.set(request, call);
    if (request.#abortReason !== undefined) call?.(request.#abortReason);
  }

  static owner(request: LazyRequest): unknown {
    return request.#owner;
  }

  static head(request: LazyRequest): RequestHead {
    return request.#head;
  }

  /** What console.log shows: all but the body, which stays unread. */
  static show(request: LazyRequest): object {
    return new NativeRequest(request.url, { method: request.method, headers: request.headers });
  }

  #read<Kind extends BodyKind>(kind: Kind): Promise<BodyResult[Kind]> {
    // The stored type is only looked at by kinds that use it.
    const typed = kind === "blob" || kind === "formData";
    const contentType = typed ? (this.headers.get("content-type") ?? "") : "";
    if (this.#body === null) return convertNothing(kind, contentType);
    return this.#body.read(kind, contentType);
  }

  /** A native copy. The body is shared: both can be read. */
  #materialise(): Request {
    const init: RequestInit & { duplex: string } = {
      method: this.method,
      headers: this.headers,
      signal: this.signal,
      duplex: "half",
    };
    const body = this.#body?.fork();
    if (body !== undefined) init.body = body as Bun.BodyInit;
    return new NativeRequest(this.url, init);
  }
}

/** A method of Bun's, missing in bun-types. */
const textStream = Reflect.get(NativeResponse.prototype, "textStream") as () => unknown;

disguise(LazyRequest.prototype, NativeRequest.prototype, LazyRequest.show);

/**
 * `fallbackHost` is for requests without a Host. `body` is null when the message has none; GET and HEAD never show one,
 * as in Bun.serve, and the connection drains it.
 */
export function createRequest(
  head: RequestHead,
  scheme: string,
  fallbackHost: string,
  body: RequestBody | null,
  owner: unknown = null,
): Request {
  const { method } = head;
  const shown = method === "GET" || method === "HEAD" ? null : body;
  // disguise() made every instance inherit from Request.prototype.
  return new LazyRequest(head, scheme, fallbackHost, shown, owner) as unknown as Request;
}

/** The `owner` that createRequest was given; undefined for a Request that isn't ours. */
export function requestOwner(request: Request): unknown {
  return LazyRequest.isLazy(request) ? LazyRequest.owner(request) : undefined;
}

/** As a listener of request.signal, at less cost: one for each request, and null takes it away. */
export function whenAborted(request: Request, call: ((reason: unknown) => void) | null): void {
  if (LazyRequest.isLazy(request)) LazyRequest.whenAborted(request, call);
  else if (call !== null)
    request.signal.addEventListener("abort", () => call(request.signal.reason));
}

/** What a Request was made from, byte by byte; null for one that the engine hasn't made. */
export function rawHead(request: Request): RequestHead | null {
  return LazyRequest.isLazy(request) ? LazyRequest.head(request) : null;
}

/** The client has left: request.signal aborts, now or when it is first touched. */
export function abortRequest(request: Request, reason: unknown): void {
  if (LazyRequest.isLazy(request)) LazyRequest.abort(request, reason);
}

/** What a reader gets when the client closes the connection; the same as Bun.serve's. */
export function connectionClosedError(): DOMException {
  return new DOMException("The connection was closed.", "AbortError");
}

/** Whether the app was given this object, or made it itself. */
export function isLazyRequest(value: unknown): value is Request {
  return LazyRequest.isLazy(value);
}
