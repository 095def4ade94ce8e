/**
 * One connection to the control socket: a request, its answer, the next request. It holds one request and one answer at
 * most, answers one request in a turn of the event loop, and waits for nobody.
 */
import { FrameReader, encodeFrame, longestRequestBytes } from "../../control/frames.ts";
import { CommandError } from "../../control/commands.ts";
import { type Answer, failure, readRequest } from "../../control/messages.ts";

/** The socket, as far as a conversation needs it. */
export interface Line {
  /** Answers how many bytes were taken; less than 0 when it is closed. */
  write(bytes: Uint8Array): number;
  /** Closes it when nothing happens for so many seconds. */
  timeout(seconds: number): void;
}

/** Between two requests. Gunicorn has 300, and Bun's sockets no timeout above 240. */
const idleSeconds = 240;
/** Within a request, and while an answer isn't taken. */
const patienceSeconds = 10;
/** For who is done to read why. unix(7): a close with bytes unread is a reset, and what was written is lost to the other end. */
const lingerSeconds = 4;

export class Conversation {
  readonly #line: Line;
  readonly #answer: (words: readonly string[], id: unknown) => Answer;
  readonly #reader = new FrameReader(longestRequestBytes);
  /** What the other end hasn't taken yet of an answer. */
  #unsent: Uint8Array | null = null;
  #ending = false;
  #waiting = false;

  /** @param answer carries out the words of a request; never throws */
  constructor(line: Line, answer: (words: readonly string[], id: unknown) => Answer) {
    this.#line = line;
    this.#answer = answer;
    line.timeout(idleSeconds);
  }

  receive(bytes: Uint8Array): void {
    if (this.#ending) return;
    if (!this.#reader.push(bytes)) return this.#end(failure(0, "one request at a time"));
    if (!this.#waiting) this.#next();
  }

  /** The other end takes bytes again. */
  drain(): void {
    const unsent = this.#unsent;
    if (unsent === null) return;
    this.#unsent = null;
    this.#write(unsent);
    if (this.#unsent === null && !this.#ending && !this.#waiting) this.#next();
  }

  /** One word more, and the end. */
  refuse(error: string): void {
    this.#end(failure(0, error));
  }

  #next(): void {
    if (this.#unsent !== null || this.#ending) return;
    const frame = this.#reader.next();
    switch (frame.type) {
      case "need more":
        return this.#line.timeout(this.#reader.partial ? patienceSeconds : idleSeconds);
      case "broken":
        return this.#end(failure(0, frame.why));
      case "message":
        this.#write(encodeFrame(this.#reply(frame.message)));
        // What the server serves comes first: many requests at a time are answered one in a turn.
        this.#waiting = true;
        setImmediate(() => {
          this.#waiting = false;
          this.#next();
        });
        return;
      default:
        return frame satisfies never;
    }
  }

  #reply(message: unknown): Answer {
    try {
      const { id, words } = readRequest(message);
      return this.#answer(words, id);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return failure(0, error.message);
    }
  }

  #end(last: Answer): void {
    this.#ending = true;
    this.#write(encodeFrame(last));
  }

  #write(bytes: Uint8Array): void {
    const written = Math.max(0, this.#line.write(bytes));
    if (written < bytes.byteLength) {
      this.#unsent = bytes.subarray(written);
      this.#line.timeout(patienceSeconds);
    } else if (this.#ending) {
      this.#line.timeout(lingerSeconds);
    }
  }
}
