/** The answer to one request, read from a connection as far as printing it needs: its head, and where its body ends. */
import { ChunkedDecoder } from "../http/syntax/chunked.ts";

const headEnd = "\r\n\r\n";

/** More than this before the head's end is no HTTP; our own engine sends what an app sets, without a bound. */
const mostHeadBytes = 1024 * 1024;

/** Of trailers, which aren't printed. */
const noLimits = { requestLine: Infinity, fields: Infinity, fieldSize: Infinity };

type State = "head" | "length" | "chunks" | "until the end" | "complete" | "failed";

export class AnswerReader {
  readonly #isHead: boolean;
  readonly #chunks = new ChunkedDecoder(noLimits);
  #state: State = "head";
  #status = 0;
  #head = Buffer.alloc(0);
  /** What is left of a body of known length. */
  #left = 0;

  /** @param method of the request: HEAD is answered without a body */
  constructor(method: string) {
    this.#isHead = method === "HEAD";
  }

  /** Of the final answer; 0 until its head is there. */
  get status(): number {
    return this.#status;
  }

  get isComplete(): boolean {
    return this.#state === "complete";
  }

  /** What the bytes bring to print: the head, with line feeds and an empty line, and the body's bytes without their framing. */
  feed(bytes: Buffer): readonly Buffer[] {
    if (this.#state !== "head") return this.#feedBody(bytes);
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf(headEnd);
    if (end === -1) {
      if (this.#head.length > mostHeadBytes) this.#state = "failed";
      return [];
    }
    const head = this.#head.toString("latin1", 0, end);
    const rest = this.#head.subarray(end + headEnd.length);
    this.#head = Buffer.alloc(0);
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |\r|$)/.exec(head)?.[1] ?? "0");
    if (status === 0) {
      this.#state = "failed";
      return [];
    }
    // RFC 9110 §15.2: interim ones come before the answer.
    if (status < 200 && status !== 101) return this.feed(rest);
    this.#status = status;
    this.#beginBody(head);
    const printed = Buffer.from(`${head.replaceAll("\r\n", "\n")}\n\n`, "latin1");
    return [printed, ...this.#feedBody(rest)];
  }

  /** The connection has ended. */
  end(): void {
    if (this.#state === "until the end") this.#state = "complete";
  }

  /** RFC 9112 §6.3. */
  #beginBody(head: string): void {
    const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1];
    if (this.#isHead || this.#status < 200 || this.#status === 204 || this.#status === 304) {
      this.#state = "complete";
    } else if (/\r\ntransfer-encoding:[ \t]*chunked/i.test(head)) {
      this.#state = "chunks";
    } else if (length === undefined) {
      this.#state = "until the end";
    } else {
      this.#left = Number(length);
      this.#state = this.#left === 0 ? "complete" : "length";
    }
  }

  #feedBody(bytes: Buffer): readonly Buffer[] {
    if (this.#state === "until the end") return [bytes];
    if (this.#state === "chunks") return this.#feedChunks(bytes);
    if (this.#state !== "length") return [];
    const taken = bytes.subarray(0, this.#left);
    this.#left -= taken.length;
    if (this.#left === 0) this.#state = "complete";
    return [taken];
  }

  #feedChunks(bytes: Buffer): readonly Buffer[] {
    const found: Buffer[] = [];
    for (let at = 0; at < bytes.length; at = this.#chunks.consumed) {
      const step = this.#chunks.feed(bytes, at, bytes.length);
      if (step === "need more") break;
      if (step !== "data") {
        this.#state = step === "end" ? "complete" : "failed";
        break;
      }
      found.push(bytes.subarray(this.#chunks.dataStart, this.#chunks.dataEnd));
    }
    return found;
  }
}
