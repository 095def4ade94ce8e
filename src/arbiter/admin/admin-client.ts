/**
 * One client of the admin server: a request, its answer, the end; one that watches gets more each second. Invariant: what
 * it can make the master keep is bounded, in bytes and in time, whatever it sends or doesn't read.
 */
import { lastValue } from "../../http/syntax/find-field.ts";
import type { Head } from "../../http/syntax/head.ts";
import { MessageReader } from "../../http/request/message-reader.ts";
import { refusalPage } from "../../http/response/error-page.ts";
import { noFields } from "../../http/response/head/app-fields.ts";
import { type FixedResponse, frameFixed } from "../../http/response/head/framing.ts";
import { type ResponseContext, startHead } from "../../http/response/head/head.ts";
import { httpDate } from "../../http/response/head/date.ts";
import { OutputBuffer } from "../../http/response/output.ts";
import { describeError, type LogLevel } from "../../log/error-log.ts";
import { type AdminAnswer, type AdminRequest, text } from "./pages.ts";

const limits = { requestLine: 2048, fields: 64, fieldSize: 4096 };
/** For the whole head. */
const headBytes = 16_384;
/** From its first byte to its last one, in ticks. */
const lifeTicks = 10;
/** So long may one that watches not take what it was sent. */
const slowTicks = 5;

type Answerer = (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;

/** A socket of Bun's. */
export interface AdminWire {
  write(data: string | Uint8Array): number;
  shutdown(): void;
  end(): void;
  terminate(): void;
}

/** What clients need of their server. */
export interface AdminClientParts {
  readonly answer: Answerer;
  /** Whether one more may watch. */
  readonly mayWatch: () => boolean;
  readonly log: (level: LogLevel, message: string) => void;
}

export class AdminClient {
  readonly #wire: AdminWire;
  readonly #parts: AdminClientParts;
  readonly #reader = new MessageReader(limits);
  readonly #output = new OutputBuffer();
  #received = 0;
  #asked = false;
  #answered = false;
  #next: (() => string) | null = null;
  #ticks = 0;

  constructor(wire: AdminWire, parts: AdminClientParts) {
    this.#wire = wire;
    this.#parts = parts;
  }

  /** It is sent something each second. */
  get watches(): boolean {
    return this.#next !== null;
  }

  /** What comes behind the request is dropped: the answer ends the connection. */
  receive(bytes: Buffer): void {
    if (this.#asked) return;
    this.#received += bytes.length;
    const step = this.#reader.read(bytes, 0, bytes.length);
    if (step === "head" || step === "end") this.#ask(this.#reader.head);
    else if (step !== "need more") this.#send(refusalPage(step, httpDate(Date.now())));
    else if (this.#received > headBytes)
      this.#send(refusalPage("too many fields", httpDate(Date.now())));
  }

  /** The client takes bytes again. */
  drained(): void {
    if (this.#answered) this.#write();
  }

  /** The client sends nothing more: it has its answer, waits for it, or never asks for one. */
  ended(): void {
    if (this.#asked && !this.#answered) return;
    if (this.watches || !this.#answered || this.#output.byteLength === 0) this.#wire.end();
  }

  tick(): void {
    this.#ticks += 1;
    if (this.#next === null) {
      if (this.#ticks > lifeTicks) this.#wire.terminate();
    } else if (this.#output.byteLength > 0) {
      // The last one is under way: a slow client gets fewer, and is cut when it takes none.
      if (this.#ticks > slowTicks) this.#wire.terminate();
    } else {
      this.#ticks = 0;
      this.#output.addUtf8(this.#next());
      this.#write();
    }
  }

  #ask(head: Head): void {
    this.#asked = true;
    // Its buffer is the socket's.
    head.detach();
    const answer = this.#parts.answer({
      method: head.method,
      target: head.target,
      accept: lastValue(head, "accept"),
      authorization: lastValue(head, "authorization"),
      host: lastValue(head, "host"),
      origin: lastValue(head, "origin"),
      fetchSite: lastValue(head, "sec-fetch-site"),
    });
    if (!(answer instanceof Promise)) return this.#reply(head, answer);
    answer.then(
      (made) => this.#reply(head, made),
      (error: unknown) => {
        this.#parts.log("error", `admin_bind: ${head.target}: ${describeError(error)}`);
        this.#reply(head, text(500, "this page can't be made, see the log"));
      },
    );
  }

  #reply(head: Head, answer: AdminAnswer): void {
    const full = answer.next !== null && !this.#parts.mayWatch();
    const { status, type, body, fields, next } = full
      ? text(503, "there are as many that watch as may")
      : answer;
    const lines = `${fields}Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n`;
    const context: ResponseContext = {
      head: head.method === "HEAD",
      versionMinor: head.versionMinor,
      keepAlive: false,
      date: httpDate(Date.now()),
      request: null,
    };
    const start = { status, statusText: "" };
    const allFields = { ...noFields, lines };
    if (next === null)
      return this.#send(frameFixed(start, allFields, body, Buffer.byteLength(body), type, context));
    // RFC 9112 §6.3: of unknown length, it ends with the connection.
    this.#output.addAscii(`${startHead(status, "", allFields, type, false, context)}\r\n`);
    if (!context.head) {
      this.#output.addUtf8(body);
      this.#ticks = 0;
      this.#next = next;
    }
    this.#answered = true;
    this.#write();
  }

  #send(response: FixedResponse): void {
    this.#asked = true;
    this.#answered = true;
    this.#output.addHead(response);
    if (typeof response.body === "string") this.#output.addUtf8(response.body);
    this.#write();
  }

  #write(): void {
    const all = this.#output.writeTo(this.#wire);
    if (this.#output.broken) this.#wire.terminate();
    // FIN, and no close: what the client still sends would destroy the answer (RFC 9112 §9.6).
    else if (all && !this.watches) this.#wire.shutdown();
  }
}
