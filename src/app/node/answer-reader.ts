/**
 * Reads what Bun's node:http writes as an answer (RFC 9112), by bytes in any pieces. The peer is this process: what it writes
 * is well formed, and no limits are held here.
 */

/** Of the answer itself; interim ones (1xx) are passed over. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const inHead = 0;
const inLength = 1;
const inChunkSize = 2;
const inChunk = 3;
const inTrailers = 4;
/** The end of the connection is the end of the body. */
const untilClose = 5;
const atEnd = 6;

const lineFeed = 0x0a;
const headEnd = Buffer.from("\r\n\r\n");

export class AnswerReader {
  /** Null until it is complete. */
  head: AnswerHead | null = null;
  readonly #method: string;
  #state: number = inHead;
  /** Bytes of a head, a chunk's size or a trailer whose end hasn't come. */
  #kept: Buffer = Buffer.alloc(0);
  /** What is left of the body, or of the chunk with its line end. */
  #left = 0;

  /** @param method of the request: an answer to HEAD has no body */
  constructor(method: string) {
    this.#method = method;
  }

  get ended(): boolean {
    return this.#state === atEnd;
  }

  /** Nothing but the end of the connection says where the body ends. */
  get endsByClose(): boolean {
    return this.#state === untilClose;
  }

  /** Takes bytes, and adds those that are body to `body`. Answers how many it has taken: behind the end, none. */
  read(bytes: Buffer, body: Buffer[]): number {
    let at = 0;
    while (at < bytes.length && this.#state !== atEnd) at = this.#step(bytes, at, body);
    return at;
  }

  #step(bytes: Buffer, at: number, body: Buffer[]): number {
    switch (this.#state) {
      case inHead:
        return this.#readHead(bytes, at);
      case untilClose:
        body.push(bytes.subarray(at));
        return bytes.length;
      case inLength:
      case inChunk:
        return this.#readData(bytes, at, body);
      default:
        return this.#readLine(bytes, at);
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    const before = this.#kept.length;
    const all = before === 0 ? bytes.subarray(at) : Buffer.concat([this.#kept, bytes.subarray(at)]);
    const end = all.indexOf(headEnd, Math.max(0, before - headEnd.length));
    if (end === -1) {
      this.#kept = Buffer.from(all);
      return bytes.length;
    }
    this.#kept = Buffer.alloc(0);
    this.#takeHead(all.latin1Slice(0, end));
    return at + end + headEnd.length - before;
  }

  #takeHead(text: string): void {
    const [line = "", ...lines] = text.split("\r\n");
    const status = Number(line.slice(9, 12));
    if (status < 200 && status !== 101) return;
    const fields = lines.map((each): [string, string] => {
      const colon = each.indexOf(":");
      return [each.slice(0, colon), each.slice(colon + 1).trim()];
    });
    this.head = { status, reason: line.slice(13), fields };
    const valueOf = (name: string) =>
      fields.find(([given]) => given.toLowerCase() === name)?.[1] ?? null;
    const length = valueOf("content-length");
    // RFC 9112 §6.3.
    if (this.#method === "HEAD" || status < 200 || status === 204 || status === 304)
      this.#state = atEnd;
    else if (valueOf("transfer-encoding") !== null) this.#state = inChunkSize;
    else if (length === null) this.#state = untilClose;
    else {
      this.#left = Number(length);
      this.#state = this.#left === 0 ? atEnd : inLength;
    }
  }

  #readData(bytes: Buffer, at: number, body: Buffer[]): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    // A chunk's own line end counts with it, and is no body.
    const cut = this.#state === inChunk ? Math.max(0, 2 - this.#left) : 0;
    const dataEnd = Math.max(at, end - cut);
    if (dataEnd > at) body.push(bytes.subarray(at, dataEnd));
    if (this.#left === 0) this.#state = this.#state === inChunk ? inChunkSize : atEnd;
    return end;
  }

  /** A chunk's size, or a line of the trailer section, which is dropped. */
  #readLine(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(lineFeed, at);
    const end = lineEnd === -1 ? bytes.length : lineEnd + 1;
    const piece = bytes.subarray(at, end);
    const line = this.#kept.length === 0 ? piece : Buffer.concat([this.#kept, piece]);
    if (lineEnd === -1) {
      this.#kept = Buffer.from(line);
      return end;
    }
    this.#kept = Buffer.alloc(0);
    const text = line.latin1Slice(0, line.length).trim();
    if (this.#state === inTrailers) {
      if (text === "") this.#state = atEnd;
      return end;
    }
    const size = Number.parseInt(text, 16);
    this.#left = size + 2;
    this.#state = size === 0 ? inTrailers : inChunk;
    return end;
  }
}
