/** One connection to the node:http server of this process: a request, its answer, and then perhaps the next request. */
import { markBody, NativeResponse, untypedInit } from "../../http/response/body.ts";
import { whenAborted } from "../../http/request/request.ts";
import { AnswerReader } from "./answer-reader.ts";

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** Fields that are about the connection to the server, and not about the client's (RFC 9110 §7.6.1). */
const ofConnection = new Set(["keep-alive", "transfer-encoding", "proxy-connection", "upgrade"]);
/** A Response must not have a body with these. */
const bodiless = new Set([101, 204, 205, 304]);

/** What is sent; the head ends in an empty line. */
export interface Asked {
  readonly head: string;
  readonly body: ReadableStream<Uint8Array> | Uint8Array | null;
  /** Without a length it is sent in chunks. */
  readonly chunked: boolean;
  /** Whose client may leave. */
  readonly request: Request;
}

interface Pending {
  readonly reader: AnswerReader;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
  readonly request: Request;
  readonly onFree: () => void;
}

export class UpstreamConnection {
  freeSinceMs = 0;
  #socket: Bun.Socket | null = null;
  #pending: Pending | null = null;
  /** Of the answer's body, once its head is handed over. */
  #controller: Controller | null = null;
  #requestSent = false;
  #closed = false;
  /** Resolved when the socket takes bytes again. */
  #room: PromiseWithResolvers<void> | null = null;

  static async open(path: string): Promise<UpstreamConnection> {
    const connection = new UpstreamConnection();
    connection.#socket = await Bun.connect({
      unix: path,
      socket: {
        data: (_socket, bytes) => connection.#receive(bytes),
        drain: () => connection.#drained(),
        close: () => connection.#ended(),
        error: () => connection.#ended(),
      },
    });
    return connection;
  }

  /** It can take a request. */
  get isFree(): boolean {
    return !this.#closed && this.#pending === null;
  }

  close(): void {
    this.#closed = true;
    this.#socket?.end();
  }

  /** `onFree` is called when it can take the next one, which isn't always. */
  ask(asked: Asked, onFree: () => void): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const { request } = asked;
    const reader = new AnswerReader(request.method);
    this.#pending = { reader, resolve, reject, request, onFree };
    this.#requestSent = false;
    whenAborted(request, (reason) => this.#fail(reason));
    if (this.#pending !== null) this.#send(asked).catch((error: unknown) => this.#fail(error));
    return promise;
  }

  async #send({ head, body, chunked }: Asked): Promise<void> {
    const bytes = Buffer.from(head, "latin1");
    if (body === null || body instanceof Uint8Array) {
      await this.#write(body === null ? bytes : Buffer.concat([bytes, body]));
    } else {
      await this.#write(bytes);
      for await (const chunk of body) {
        if (this.#closed) return;
        if (!chunked) await this.#write(chunk);
        else if (chunk.length > 0) {
          await this.#write(Buffer.from(`${chunk.length.toString(16)}\r\n`));
          await this.#write(chunk);
          await this.#write(Buffer.from("\r\n"));
        }
      }
      if (chunked) await this.#write(Buffer.from("0\r\n\r\n"));
    }
    this.#requestSent = true;
    if (this.#pending?.reader.ended === true) this.#finish();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length && !this.#closed;) {
      const taken = this.#socket?.write(sent === 0 ? bytes : bytes.subarray(sent)) ?? 0;
      if (taken < 0) return;
      sent += taken;
      if (sent === bytes.length) return;
      this.#room = Promise.withResolvers();
      await this.#room.promise;
    }
  }

  #drained(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  #receive(bytes: Buffer): void {
    const pending = this.#pending;
    // Nobody has asked: the server says that the connection was idle for too long.
    if (pending === null) return this.close();
    const { reader } = pending;
    const body: Buffer[] = [];
    reader.read(bytes, body);
    if (reader.head === null) return;
    if (this.#controller !== null) this.#pass(body);
    else this.#answer(pending, body);
    if (!reader.ended) return;
    this.#controller?.close();
    this.#controller = null;
    // The server has answered before it has read all: the rest would be taken for the next request.
    if (this.#requestSent) this.#finish();
    else this.#release(false);
  }

  #answer({ reader, resolve, request }: Pending, body: readonly Buffer[]): void {
    try {
      const whole = reader.ended ? Buffer.concat(body) : this.#stream(body);
      resolve(toResponse(request.method, reader, whole));
    } catch (error) {
      // A status or a reason that no Response can have.
      this.#fail(error);
    }
  }

  #stream(first: readonly Buffer[]): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        this.#pass(first);
      },
      pull: () => void this.#socket?.resume(),
      cancel: () => {
        this.#controller = null;
        this.#release(false);
      },
    });
  }

  #pass(body: readonly Buffer[]): void {
    const controller = this.#controller;
    if (controller === null) return;
    // A copy: Bun uses the memory of what it has received again.
    for (const piece of body) controller.enqueue(new Uint8Array(piece));
    if ((controller.desiredSize ?? 0) <= 0) this.#socket?.pause();
  }

  #finish(): void {
    const closes = this.#pending?.reader.head?.fields.some(
      ([name, value]) => name.toLowerCase() === "connection" && value.toLowerCase() === "close",
    );
    this.#release(closes !== true);
  }

  #release(isReusable: boolean): void {
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null) return;
    whenAborted(pending.request, null);
    if (!isReusable) return this.close();
    this.freeSinceMs = performance.now();
    this.#socket?.resume();
    pending.onFree();
  }

  #ended(): void {
    this.#closed = true;
    this.#drained();
    const reader = this.#pending?.reader;
    if (reader === undefined) return;
    if (reader.endsByClose && this.#controller !== null) {
      this.#controller.close();
      this.#controller = null;
      return this.#release(false);
    }
    this.#fail(new Error("The app's node:http server has closed the connection without an answer"));
  }

  #fail(reason: unknown): void {
    const pending = this.#pending;
    const controller = this.#controller;
    this.#controller = null;
    this.#release(false);
    pending?.reject(reason);
    controller?.error(reason);
  }
}

function toResponse(
  method: string,
  reader: AnswerReader,
  body: Buffer | ReadableStream<Uint8Array>,
): Response {
  const { status, reason, fields } = reader.head!;
  const headers = new Headers();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (ofConnection.has(lower)) continue;
    if (lower === "connection" && value.toLowerCase() !== "close") continue;
    headers.append(name, value);
  }
  // The Response says the length of what it has itself; of HEAD there is nothing else that does.
  if (body instanceof Buffer && body.length > 0) headers.delete("content-length");
  const init = { status, statusText: reason, headers };
  if (bodiless.has(status)) return marked(null, init);
  if (!(body instanceof Buffer)) return marked(body, init);
  if (body.length > 0) return marked(body, init, headers.has("content-type") ? body : untypedInit);
  // A null body would state the length 0, which the answer to HEAD hasn't said.
  const isUnstated = method === "HEAD" && !headers.has("content-length");
  return marked(isUnstated ? new ReadableStream() : null, init);
}

/** The native class: apps replace the global one, as @hono/node-server does. */
function marked(
  body: Buffer | ReadableStream<Uint8Array> | null,
  init: ResponseInit,
  mark: unknown = body,
): Response {
  const response = new NativeResponse(body, init);
  markBody(response, mark);
  return response;
}
