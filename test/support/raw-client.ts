/**
 * An HTTP client that knows nothing: it sends the bytes it is given and reads answers off the wire by the
 * letter of RFC 9112, so that a test sees what a strict client would. Every wait is for a condition.
 */
import { ByteClient, type Ending, type ServerAddress } from "../../bench/byte-client.ts";
import { ByteQueue } from "./byte-queue.ts";
import { patienceMs } from "./server.ts";

export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** The status line and the fields, without the empty line. */
  readonly head: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly framing: "none" | "length" | "chunked" | "close";
  readonly body: Buffer;
  /** False when the connection ended inside the body. */
  readonly complete: boolean;
  /** Lines behind the last chunk, if there are any. */
  readonly trailers?: readonly string[];
}

/** The value of a field that stands once; null if it doesn't stand; throws if it is repeated. */
export function field(answer: Answer, name: string): string | null {
  const values = fieldValues(answer, name);
  if (values.length > 1) throw new Error(`${name} stands ${values.length} times: ${answer.head}`);
  return values[0] ?? null;
}

export function fieldValues({ fields }: Answer, name: string): string[] {
  return fields.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);
}

export class RawClient implements Disposable {
  readonly #received = new ByteQueue();
  #client: ByteClient | null = null;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  /** A number is a port of 127.0.0.1. */
  static async connect(to: number | ServerAddress): Promise<RawClient> {
    const raw = new RawClient();
    const change = () => raw.#change();
    raw.#client = await ByteClient.connect(typeof to === "number" ? { port: to } : to, {
      data: (_client, bytes) => {
        raw.#received.add(bytes);
        change();
      },
      drained: change,
      ended: change,
      closed: change,
    });
    return raw;
  }

  /** How the server ended the connection; null while it is open. */
  get ending(): Ending | null {
    return this.#client?.ending ?? null;
  }

  /** Whether nothing can be sent any more. */
  get closed(): boolean {
    return this.#client?.closed === true;
  }

  /** Bytes received that no answer has taken. */
  get unread(): number {
    return this.#received.length;
  }

  /** Local port, by which the server knows this client. */
  get port(): number {
    return this.#client?.port ?? 0;
  }

  send(data: string | Uint8Array): void {
    this.#client?.send(data);
  }

  /** Sends each piece in a segment of its own, as far as a sender has a say in that. */
  async sendPieces(pieces: Iterable<string | Uint8Array>): Promise<void> {
    for (const piece of pieces) {
      this.send(piece);
      await this.sent();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves when the kernel has all that was sent, or takes no more. */
  async sent(): Promise<void> {
    await this.#waitFor("the server to read", () => this.unsentBytes === 0 || this.closed);
  }

  /** Bytes that wait for the server to read. */
  get unsentBytes(): number {
    return this.#client?.unsentBytes ?? 0;
  }

  /** The next answer. `method` is its request's: HEAD and CONNECT have rules of their own. 1xx answers come like others. */
  async answer(method = "GET"): Promise<Answer> {
    const head = await this.#readHead();
    const { status } = head;
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
      return { ...head, framing: "none", body: Buffer.alloc(0), complete: true };
    }
    const coding = head.fields.find(([name]) => name.toLowerCase() === "transfer-encoding");
    const lengths = head.fields.filter(([name]) => name.toLowerCase() === "content-length");
    if (coding !== undefined) {
      if (lengths.length > 0) throw new Error(`both lengths: ${head.head}`);
      return { ...head, framing: "chunked", ...(await this.#readChunks()) };
    }
    if (lengths.length > 1) throw new Error(`two lengths: ${head.head}`);
    if (lengths[0] !== undefined) {
      const size = Number(lengths[0][1]);
      const body = await this.#take(size);
      return { ...head, framing: "length", body, complete: body.length === size };
    }
    await this.ended();
    const body = this.#received.take(this.#received.length);
    return { ...head, framing: "close", body, complete: this.ending === "fin" };
  }

  /** Sends, and answers with the next answer. */
  async ask(request: string | Uint8Array, method = "GET"): Promise<Answer> {
    this.send(request);
    return this.answer(method);
  }

  /** Waits until so many bytes have come that no answer has taken, and shows them. */
  async peek(size: number): Promise<string> {
    await this.#waitFor(`${size} bytes`, () => this.#received.length >= size);
    return this.#received.peek().toString("latin1");
  }

  /** The next bytes, whatever they mean; throws when the connection ends before. */
  async take(size: number): Promise<Buffer> {
    const bytes = await this.#take(size);
    if (bytes.length < size)
      throw new Error(`${bytes.length} of ${size} bytes; ${this.#describe()}`);
    return bytes;
  }

  /** Waits until the received bytes hold a text. */
  async seen(text: string): Promise<void> {
    await this.#waitFor(JSON.stringify(text), () => this.#received.peek().includes(text));
  }

  /** Waits until the server has ended the connection. */
  async ended(): Promise<Ending> {
    await this.#waitFor("the server to close", () => this.ending !== null);
    return this.ending as Ending;
  }

  /** Sends FIN and goes on reading. */
  halfClose(): void {
    this.#client?.halfClose();
  }

  /** Leaves by a reset. */
  reset(): void {
    this.#client?.reset();
  }

  pause(): void {
    this.#client?.pause();
  }

  resume(): void {
    this.#client?.resume();
  }

  /** Closes like a client that has all it wants. */
  [Symbol.dispose](): void {
    this.#client?.close();
  }

  #change(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #waitFor(what: string, probe: () => boolean): Promise<void> {
    const end = performance.now() + patienceMs;
    const timer = setTimeout(() => this.#change(), patienceMs + 1);
    try {
      while (!probe()) {
        if (performance.now() > end)
          throw new Error(`waited in vain for ${what}; ${this.#describe()}`);
        await this.#wake.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #describe(): string {
    const text = JSON.stringify(this.#received.peek().subarray(0, 400).toString("latin1"));
    return `ended by ${this.ending ?? "nobody"}, ${this.#received.length} bytes unread: ${text}`;
  }

  /** As many bytes, or fewer when the connection ends before. */
  async #take(size: number): Promise<Buffer> {
    await this.#waitFor(
      `${size} bytes`,
      () => this.#received.length >= size || this.ending !== null,
    );
    return this.#received.take(size);
  }

  /** A line without its CRLF; null when the connection ends before. */
  async #readLine(): Promise<string | null> {
    await this.#waitFor("a line", () => this.#received.lineEnd !== -1 || this.ending !== null);
    const end = this.#received.lineEnd;
    if (end === -1) return null;
    return this.#received
      .take(end + 2)
      .subarray(0, end)
      .toString("latin1");
  }

  async #readHead(): Promise<Pick<Answer, "status" | "reason" | "head" | "fields">> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#readLine();
      if (line === null) throw new Error(`no answer; ${this.#describe()}`);
      if (line === "") break;
      lines.push(line);
    }
    const found = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(lines[0] ?? "");
    if (found === null) throw new Error(`no status line: ${lines[0]}`);
    const fields = lines.slice(1).map((line): [string, string] => {
      const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?(.*)$/.exec(line);
      if (parts === null) throw new Error(`no field line: ${JSON.stringify(line)}`);
      return [parts[1] ?? "", parts[2] ?? ""];
    });
    return { status: Number(found[1]), reason: found[2] ?? "", head: lines.join("\r\n"), fields };
  }

  async #readChunks(): Promise<Pick<Answer, "body" | "complete" | "trailers">> {
    const pieces: Buffer[] = [];
    for (;;) {
      const line = await this.#readLine();
      if (line === null) return { body: Buffer.concat(pieces), complete: false };
      if (!/^[0-9a-fA-F]+$/.test(line)) throw new Error(`no chunk size: ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      if (size === 0) return { body: Buffer.concat(pieces), ...(await this.#readTrailers()) };
      const bytes = await this.#take(size);
      pieces.push(bytes);
      const end = bytes.length === size ? await this.#take(2) : Buffer.alloc(0);
      if (end.length < 2) return { body: Buffer.concat(pieces), complete: false };
      if (end.toString("latin1") !== "\r\n") throw new Error(`no CRLF behind a chunk: ${end}`);
    }
  }

  async #readTrailers(): Promise<Pick<Answer, "complete" | "trailers">> {
    const trailers: string[] = [];
    for (;;) {
      const line = await this.#readLine();
      if (line === null) return { complete: false };
      if (line === "")
        return trailers.length > 0 ? { complete: true, trailers } : { complete: true };
      trailers.push(line);
    }
  }
}
