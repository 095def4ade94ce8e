/** A websocket client for tests. */
import { until } from "./server.ts";

/** Keeps what it is told: texts as they are, binary messages as `bytes 1,2,3`. */
export class Client {
  readonly heard: string[] = [];
  readonly #socket: WebSocket;
  /** The code that it was closed with. */
  readonly closed: Promise<number>;

  /**
   * @param url of the server, http
   * @param protocols the subprotocols to ask for
   */
  constructor(url: string, protocols: readonly string[] = []) {
    this.#socket = new WebSocket(url.replace(/^http/, "ws"), [...protocols]);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("message", ({ data }) => {
      const isText = typeof data === "string";
      this.heard.push(isText ? data : `bytes ${new Uint8Array(data as ArrayBuffer).join()}`);
    });
    this.closed = new Promise((resolve) => {
      this.#socket.addEventListener("close", ({ code }) => resolve(code));
    });
  }

  /** The subprotocol that the server has chosen. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  async hears(text: string): Promise<void> {
    await until(`the websocket to hear ${text}`, () => this.heard.includes(text));
  }
}
