/**
 * One client of the admin server: a request, its answer, the end. Invariant: what it can make the master keep is
 * bounded, in bytes and in time, whatever it sends or doesn't read.
 */
import { lastValue } from "../../http/syntax/find-field.ts";
import type { Head } from "../../http/syntax/head.ts";
import { MessageReader } from "../../http/request/message-reader.ts";
import { refusalPage } from "../../http/response/error-page.ts";
import { noFields } from "../../http/response/head/app-fields.ts";
import { type FixedResponse, frameFixed } from "../../http/response/head/framing.ts";
import { httpDate } from "../../http/response/head/date.ts";
import { OutputBuffer } from "../../http/response/output.ts";
import type { AdminAnswer, AdminRequest } from "./pages.ts";

const limits = { requestLine: 2048, fields: 64, fieldSize: 4096 };
/** For the whole head. */
const headBytes = 16_384;
/** From its first byte to its last one, in ticks. */
const lifeTicks = 10;

/** A socket of Bun's. */
export interface AdminWire {
  write(data: string | Uint8Array): number;
  shutdown(): void;
  end(): void;
  terminate(): void;
}

export class AdminClient {
  readonly #wire: AdminWire;
  readonly #answer: (request: AdminRequest) => AdminAnswer;
  readonly #reader = new MessageReader(limits);
  readonly #output = new OutputBuffer();
  #received = 0;
  #answered = false;
  #ticks = 0;

  constructor(wire: AdminWire, answer: (request: AdminRequest) => AdminAnswer) {
    this.#wire = wire;
    this.#answer = answer;
  }

  /** What comes behind the request is dropped: the answer ends the connection. */
  receive(bytes: Buffer): void {
    if (this.#answered) return;
    this.#received += bytes.length;
    const step = this.#reader.read(bytes, 0, bytes.length);
    if (step === "head" || step === "end") this.#send(this.#respond(this.#reader.head));
    else if (step !== "need more") this.#send(refusalPage(step, httpDate(Date.now())));
    else if (this.#received > headBytes)
      this.#send(refusalPage("too many fields", httpDate(Date.now())));
  }

  /** The client takes bytes again. */
  drained(): void {
    if (this.#answered) this.#write();
  }

  /** The client sends nothing more: either it has its answer, or never asks for one. */
  ended(): void {
    if (!this.#answered || this.#output.byteLength === 0) this.#wire.end();
  }

  tick(): void {
    this.#ticks += 1;
    if (this.#ticks > lifeTicks) this.#wire.terminate();
  }

  #respond(head: Head): FixedResponse {
    const { status, type, body, fields } = this.#answer({
      method: head.method,
      target: head.target,
      accept: lastValue(head, "accept"),
      authorization: lastValue(head, "authorization"),
    });
    const lines = `${fields}Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n`;
    return frameFixed(
      { status, statusText: "" },
      { ...noFields, lines },
      body,
      Buffer.byteLength(body),
      type,
      {
        head: head.method === "HEAD",
        versionMinor: head.versionMinor,
        keepAlive: false,
        date: httpDate(Date.now()),
        request: null,
      },
    );
  }

  #send(response: FixedResponse): void {
    this.#answered = true;
    this.#output.addHead(response);
    if (typeof response.body === "string") this.#output.addUtf8(response.body);
    this.#write();
  }

  #write(): void {
    const all = this.#output.writeTo(this.#wire);
    if (this.#output.broken) this.#wire.terminate();
    // FIN, and no close: what the client still sends would destroy the answer (RFC 9112 §9.6).
    else if (all) this.#wire.shutdown();
  }
}
