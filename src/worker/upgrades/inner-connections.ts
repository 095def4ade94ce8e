/**
 * Connections to unix sockets of this process. Each takes two descriptors, beside its client's: where there are no more, it is
 * refused, and not left to wait for an accept that can't be.
 */
import type { Log } from "../../api/log.ts";
import { canOpen } from "../../os/sockets/free-descriptors.ts";
import { unsentBytes } from "../../os/sockets/send-queue.ts";
import type { Wire } from "../connection/wire.ts";
import type { InnerEnd } from "./inner-end.ts";

/**
 * How many sockets are opened at a time. A unix socket refuses whoever finds its queue full, and Bun's has 512 places: the
 * clients of a worker that has left come back in one instant. Twice as many may stand there, as each that is opened makes
 * room for the next before the queue is looked at.
 */
const maxOpening = 128;

/** Both ends of one, and some for clients that want none: they can't be accepted either when the last is taken. */
const neededDescriptors = 2 + 8;

/** How long the server may take to read what it is sent first before it is asked why. */
const unreadMs = 250;

/** A crowd that is refused is one line. */
const toldMs = 1000;

type Socket = Bun.Socket<InnerEnd>;

export class InnerConnections {
  readonly #log: Log;
  #opening = 0;
  readonly #waiting: (() => void)[] = [];
  /** Those whose first bytes may not have been read. */
  #unread: Socket[] = [];
  #isTimed = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Opens a connection, at once or when others are open. */
  open(path: string, end: InnerEnd): void {
    if (this.#opening < maxOpening) void this.#open(path, end);
    else this.#waiting.push(() => void this.#open(path, end));
  }

  async #open(path: string, end: InnerEnd): Promise<void> {
    this.#opening += 1;
    // `allowHalfOpen` is not in bun-types; Bun.connect takes it.
    const options = { unix: path, allowHalfOpen: true, data: end, socket: handlers };
    try {
      if (canOpen(neededDescriptors)) {
        this.#watch(await Bun.connect<InnerEnd>(options as never));
      } else this.#refuse(end, noDescriptor);
    } catch (error) {
      this.#refuse(end, error instanceof Error ? error.message : String(error));
    }
    this.#opening -= 1;
    this.#waiting.shift()?.();
  }

  #watch(socket: Socket): void {
    this.#unread.push(socket);
    if (this.#isTimed) return;
    this.#isTimed = true;
    setTimeout(() => this.#lookAtUnread(), unreadMs);
  }

  /** A server that can't accept reads nothing: Bun tells nobody. */
  #lookAtUnread(): void {
    this.#isTimed = false;
    const unread = this.#unread.filter((socket) => unsentBytes((socket as never as Wire).fd) > 0);
    this.#unread = [];
    // Its event loop may have been busy.
    if (unread.length > 0 && canOpen(1)) for (const socket of unread) this.#watch(socket);
    else for (const socket of unread) this.#refuse(socket.data, noDescriptor);
  }

  #refuse(end: InnerEnd, why: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs >= toldMs) {
      this.#log.error(`Can't open a connection inside of this worker: ${why}`);
      this.#toldAtMs = nowMs;
    }
    end.refused();
  }
}

const noDescriptor = "no descriptor is free (ulimit -n), clients that ask for upgrades get 503";

const handlers = {
  open: (socket: Socket) => socket.data.opened(socket as unknown as Wire),
  data: (socket: Socket, bytes: Buffer) => socket.data.innerReceive(bytes),
  drain: (socket: Socket) => socket.data.innerDrained(),
  end: (socket: Socket) => socket.data.innerEnded(),
  close: (socket: Socket) => socket.data.innerClosed(),
  error: (socket: Socket) => socket.data.innerClosed(),
};
