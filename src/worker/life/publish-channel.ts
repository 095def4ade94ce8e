/** A worker's end of what websockets publish: to the other workers by way of the master, and from them. */
import type { Publication, PublishChannel } from "../../app/websocket/publication.ts";
import type { RelayAnswer, RelayMessage } from "../../ipc/messages.ts";
import { emptyWindow, offer, taken, type Window } from "../../ipc/window.ts";

/** What a publication counts besides its data. */
const overheadBytes = 64;
/** So much goes at once, and doesn't wait for the end of the event loop's turn. */
const batchBytes = 64 * 1024;
const pollMs = 5;

export interface ChannelHost {
  readonly log: { warning(message: string): void };
  /** To the master. False: it has gone. */
  send(message: RelayMessage): boolean;
  hasMaster(): boolean;
  /** How many other workers want what this one publishes. */
  audience(): number;
}

export class WorkerChannel implements PublishChannel {
  readonly #host: ChannelHost;
  /** What is published and not yet sent: one message for all of a turn costs half as much (docs/websockets.md). */
  #batch: Publication[] = [];
  #batchBytes = 0;
  #window: Window = emptyWindow;
  #receive: (publication: Publication) => void = () => {};
  readonly #joined = Promise.withResolvers<void>();
  /** Bytes that are taken, and of which the master isn't told yet. */
  #taken = 0;

  constructor(host: ChannelHost) {
    this.#host = host;
  }

  join(receive: (publication: Publication) => void): Promise<void> {
    this.#receive = receive;
    // Without a master there is nobody to reach.
    if (!this.#host.send({ type: "websocket join" })) this.#joined.resolve();
    return this.#joined.promise;
  }

  get hasAudience(): boolean {
    return this.#host.audience() > 0;
  }

  publish(publication: Publication): void {
    const { topic, data } = publication;
    const bytes = topic.length + data.length + overheadBytes;
    const before = this.#window.dropped;
    this.#window = offer(this.#window, bytes, 1);
    if (this.#window.dropped > 0) {
      if (before === 0) this.#host.log.warning(slow);
      return;
    }
    this.#batch.push(publication);
    this.#batchBytes += bytes;
    if (this.#batchBytes >= batchBytes) this.#send();
    else if (this.#batch.length === 1) setImmediate(() => this.#send());
  }

  /** What the master says. */
  hear(message: RelayAnswer): void {
    if (message.type === "websocket joined") return this.#joined.resolve();
    if (message.type === "websocket taken") return this.#onTaken(message.bytes);
    for (const publication of message.publications) this.#receive(publication);
    if (this.#taken === 0) setImmediate(() => this.#tell());
    this.#taken += message.bytes;
  }

  /** Resolves when the master has taken all that was published, or has gone, or after so long. */
  async flush(limitMs: number): Promise<void> {
    this.#send();
    const endMs = performance.now() + limitMs;
    while (this.#window.outstanding > 0 && this.#host.hasMaster() && performance.now() < endMs) {
      await Bun.sleep(pollMs);
    }
  }

  #send(): void {
    if (this.#batch.length === 0) return;
    const publications = this.#batch;
    const bytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    if (!this.#host.send({ type: "websocket publish", publications, bytes })) this.#onTaken(bytes);
  }

  #onTaken(bytes: number): void {
    const { dropped } = this.#window;
    this.#window = taken(this.#window, bytes);
    if (dropped > 0 && this.#window.dropped === 0) {
      this.#host.log.warning(`${recovered}, messages dropped: ${dropped}`);
    }
  }

  #tell(): void {
    const bytes = this.#taken;
    this.#taken = 0;
    this.#host.send({ type: "websocket taken", bytes });
  }
}

const slow =
  "Websockets: the master is slow to take what this worker publishes, messages to other workers are dropped";
const recovered = "Websockets: the master takes what this worker publishes again";
