/** What a listener writes piece by piece, as the stream of a Response; trailers may follow it. */
import { highWaterBytes } from "../../../http/limits.ts";
import { giveTrailers, type Trailers } from "../../../http/response/head/trailers.ts";

export class AnswerStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #trailers: Trailers;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  /**
   * @param onRoom what was written has been taken, and written to the client
   * @param onCancel nobody takes any more
   */
  constructor(onRoom: () => void, onCancel: () => void) {
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: onRoom,
        cancel: () => {
          this.#controller = null;
          onCancel();
        },
      },
      // It pulls when its reader asks for more than there is, and no sooner: the pump asks when it has written the last piece.
      { highWaterMark: 0, size: (bytes) => bytes?.length ?? 0 },
    );
    this.#trailers = giveTrailers(this.readable);
  }

  /** Bytes that nobody has taken. */
  get waitingBytes(): number {
    return this.#controller === null ? 0 : -(this.#controller.desiredSize ?? 0);
  }

  /** False: the listener should wait. */
  write(bytes: Uint8Array): boolean {
    const controller = this.#controller;
    if (controller === null) return true;
    if (bytes.length > 0) controller.enqueue(bytes);
    // A piece that the pump has waited for is with it already.
    return bytes.length < highWaterBytes && this.waitingBytes < highWaterBytes;
  }

  /** @param trailers lines `name: value`, each with its CRLF */
  end(trailers: string): void {
    for (const line of trailers.split("\r\n")) {
      const at = line.indexOf(":");
      if (at !== -1) this.#trailers.add(line.slice(0, at), line.slice(at + 1).trimStart());
    }
    this.#controller?.close();
    this.#controller = null;
  }

  cut(error: Error): void {
    this.#controller?.error(error);
    this.#controller = null;
  }
}
