/** A client of the control socket: asks one command after the other. */
import { FrameReader, encodeFrame, longestAnswerBytes } from "../../control/frames.ts";
import { answerVersion, readAnswer } from "../../control/messages.ts";

/** The server's refusal, in its words: exit code 1. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** Nobody answers, or not any more: exit code 3. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

export type Data = Readonly<Record<string, unknown>>;

/** Gunicorn's, for one answer. */
const patienceMs = 30_000;

type Waiting = PromiseWithResolvers<unknown>;

export class Client implements Disposable {
  readonly #path: string;
  readonly #reader = new FrameReader(longestAnswerBytes);
  #socket: Bun.Socket | null = null;
  #unsent: Uint8Array | null = null;
  #waiting: Waiting | null = null;
  #ended = false;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Throws Unreachable. */
  static async connect(path: string): Promise<Client> {
    const client = new Client(path);
    try {
      client.#socket = await Bun.connect({
        unix: path,
        socket: {
          data: (_socket, bytes) => client.#receive(bytes),
          drain: () => client.#send(),
          close: () => client.#end(),
          error: () => client.#end(),
        },
      });
    } catch (cause) {
      const { code = "it doesn't answer" } = cause as NodeJS.ErrnoException;
      throw new Unreachable(`Failed to connect to ${path}: ${code}`, { cause });
    }
    return client;
  }

  /** Sends the words of a command, and answers with the data. Throws Refused or Unreachable. */
  async ask(words: readonly string[]): Promise<Data> {
    const waiting: Waiting = Promise.withResolvers();
    this.#waiting = waiting;
    this.#unsent = encodeFrame({ id: 1, command: words.join(" "), args: [] });
    const timer = setTimeout(
      () => this.#fail(`${this.#path} hasn't answered for ${patienceMs / 1000} s`),
      patienceMs,
    );
    try {
      if (this.#ended) this.#end();
      else this.#send();
      const answer = readAnswer(await waiting.promise);
      if (answer === null)
        throw new Unreachable(`${this.#path} speaks another version than ${answerVersion}`);
      if (answer.status === "error") throw new Refused(answer.error);
      return answer.data as Data;
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }

  [Symbol.dispose](): void {
    this.#socket?.end();
  }

  #send(): void {
    const bytes = this.#unsent;
    if (bytes === null || this.#socket === null) return;
    const written = Math.max(0, this.#socket.write(bytes));
    this.#unsent = written < bytes.byteLength ? bytes.subarray(written) : null;
  }

  #receive(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    const frame = this.#reader.next();
    if (frame.type === "message") this.#waiting?.resolve(frame.message);
    else if (frame.type === "broken") this.#fail(`${this.#path}: ${frame.why}`);
  }

  #end(): void {
    this.#ended = true;
    this.#fail(`${this.#path}: the server has closed the connection`);
  }

  #fail(message: string): void {
    this.#waiting?.reject(new Unreachable(message));
  }
}
