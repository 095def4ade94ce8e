/** One request and its answer: the app is asked once, answered once, and the connection learns whether it goes on. */
import { type BodySource, RequestBody } from "../http/body.ts";
import { httpDate } from "../http/date.ts";
import type { Head } from "../http/head.ts";
import { isPersistent } from "../http/keep-alive.ts";
import { abortRequest, connectionClosedError, createRequest } from "../http/request.ts";
import { errorPage, type Prepared, prepareResponse, type ResponseContext } from "../http/response.ts";
import type { OutputBuffer } from "../http/response-output.ts";
import { StreamPump } from "../http/response-stream.ts";
import type { Entrance } from "./service.ts";

/** What an exchange needs of its connection. */
export interface Line {
  readonly entrance: Entrance;
  readonly out: OutputBuffer;
  /** The client can't be reached any more. */
  readonly gone: boolean;
  /** Writes what `out` holds; false while the client doesn't take it. */
  flush(): boolean;
  pauseForBody(pause: boolean): void;
  /** Bytes of the body that haven't arrived; Infinity when nobody knows. */
  bodyMissing(): number;
  /** The answer is out (or never will be): go on with the next request, or close. */
  finished(persistent: boolean): void;
}

/** A body that the app hasn't read is read and dropped up to this size; a larger one costs the connection. */
const discardLimitBytes = 65_536;

export class Exchange implements BodySource {
  readonly head: Head;
  readonly body: RequestBody | null;
  readonly line: Line;
  #request: Request | null = null;
  #expectsContinue: boolean;
  #pump: StreamPump | null = null;
  #done = false;

  constructor(line: Line, head: Head, hasBody: boolean, expectsContinue: boolean) {
    this.line = line;
    this.head = head;
    this.#expectsContinue = expectsContinue;
    this.body = hasBody
      ? new RequestBody(this, head.contentLength === -1 ? null : head.contentLength)
      : null;
  }

  /** The app has been asked. */
  get dispatched(): boolean {
    return this.#request !== null;
  }

  get done(): boolean {
    return this.#done;
  }

  onFirstRead(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    // RFC 9110 §10.1.1: sent when the app wants the body, or never.
    this.line.out.addAscii("HTTP/1.1 100 Continue\r\n\r\n");
    this.line.flush();
  }

  onPause(): void {
    this.line.pauseForBody(true);
  }

  onResume(): void {
    this.line.pauseForBody(false);
  }

  /** Asks the app. An answer that is there at once is written to `out` before this returns. */
  dispatch(): void {
    const { entrance } = this.line;
    const { service, server, host } = entrance;
    const request = createRequest(this.head, service.scheme, host, this.body, this);
    this.#request = request;
    try {
      const answer = service.handler.begin(this.head, request, server);
      if (!(answer instanceof Promise)) return this.#answer(answer);
      // An async function that waited for nothing has settled: answered in the same tick.
      if (Bun.peek.status(answer) === "fulfilled") return this.#answer(Bun.peek(answer) as Response);
      answer.then(
        (response) => this.#answerLater(response),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The client takes bytes again. */
  drained(): void {
    this.#pump?.drained();
  }

  /** The client has left, or sends nothing more. */
  abort(): void {
    const reason = connectionClosedError();
    this.body?.fail(reason);
    if (this.#request !== null) abortRequest(this.#request, reason);
    if (this.line.gone) this.#pump?.cancel(reason);
  }

  #fail(error: unknown): void {
    const { handler, log } = this.line.entrance.service;
    // An app that stops because its client has left has done nothing wrong.
    if (this.line.gone && error instanceof DOMException && error.name === "AbortError") {
      log.debug(`Client left during ${this.head.method} ${this.head.target}`);
      return this.#finish(null, false);
    }
    void handler.fail(this.head, error).then((response) => this.#answerLater(response));
  }

  #answerLater(response: Response | null): void {
    this.#answer(response);
    this.line.flush();
  }

  /** The app's answer; null for the plain 500. */
  #answer(response: Response | null): void {
    if (this.line.gone) {
      if (response instanceof Response) discard(response);
      return this.#finish(response, false);
    }
    if (response === null) return this.#sendError();
    this.#send(response, prepareResponse(response, this.#context()));
  }

  #context(): ResponseContext {
    const { head, line } = this;
    const { service } = line.entrance;
    context.head = head.method === "HEAD";
    context.versionMinor = head.versionMinor;
    context.date = httpDate(Date.now());
    const serverCloses =
      service.draining || service.keepAliveTicks === 0 || (this.body !== null && this.#leavesBody());
    context.keepAlive = isPersistent(head.versionMinor, head.connection, serverCloses);
    return context;
  }

  /** The rest of the body is more than the connection is worth. */
  #leavesBody(): boolean {
    const missing = this.line.bodyMissing();
    if (missing === 0) return false;
    // A client that waits for 100 Continue may or may not send the body now.
    return this.#expectsContinue || (!this.body?.touched && missing > discardLimitBytes);
  }

  #send(_response: Response, _prepared: Prepared): void {}

  #sendError(): void {
    this.#finish(null, errorPage(500, "", this.#context()) !== null);
  }

  #finish(response: Response | null, persistent: boolean): void {
    if (this.#done) return;
    this.#done = true;
    const { handler } = this.line.entrance.service;
    if (this.#request !== null) handler.finish(this.head, this.#request, response);
    this.body?.abandon(connectionClosedError());
    this.line.finished(persistent);
  }
}

/** One for all: it is read before anything else can run (bench: hello). */
const context: ResponseContext = { head: false, versionMinor: 1, keepAlive: true, date: "" };

function discard(response: Response): void {
  if (response.bodyUsed) return;
  response.body?.cancel().catch(() => {
    // The source's own failure to stop: nobody waits for its bytes.
  });
}
