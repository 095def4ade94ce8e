/** Sends a heap or a profile of this process to the client of the control socket that has asked for it. */
import { type DumpHead, dumpSocket, encodeDumpHead } from "../../control/dump.ts";
import type { DumpMessage } from "../../ipc/messages.ts";
import type { Log } from "../../log/error-log.ts";
import { textOf } from "../../log/lines/describe-error.ts";
import { peerCredentials } from "../../os/sockets/peer-credentials.ts";
import { takeHeap } from "./heap.ts";
import { takeProfile } from "./profile.ts";

/** One at a time: Bun has one profiler. */
let profiling = false;

/** Never rejects: what goes wrong is told to the client, or where there is none to the log. */
export async function sendDump(order: DumpMessage, log: Pick<Log, "warning">): Promise<void> {
  const { what, token, uid } = order;
  const isSecond = what === "profile" && profiling;
  const isFirst = what === "profile" && !profiling;
  // At once: whoever has asked first is the first.
  profiling ||= isFirst;
  try {
    using line = await Line.open(dumpSocket(token), uid);
    await line.write(Buffer.from(token));
    const made = isSecond
      ? busy
      : await make(order).catch((error: unknown) => `Can't make it: ${textOf(error)}`);
    const head: DumpHead = typeof made === "string" ? { error: made } : { bytes: made.byteLength };
    await line.write(encodeDumpHead(head));
    if (typeof made !== "string") await line.write(made);
  } catch (error) {
    log.warning(`Can't send a ${what} to who has asked for it: ${textOf(error)}`);
  } finally {
    if (isFirst) profiling = false;
  }
}

const busy = "A profile of this worker is being made already";

async function make({ what, seconds }: DumpMessage): Promise<Uint8Array | string> {
  return what === "heap" ? takeHeap() : await takeProfile(seconds);
}

type Socket = Bun.Socket;

/** A connection that is written to, and waits for whoever reads. */
class Line implements Disposable {
  readonly #socket: Socket;
  #unsent: Uint8Array | null = null;
  #done = Promise.withResolvers<void>();

  static async open(path: string, uid: number): Promise<Line> {
    const handlers: { line: Line | null } = { line: null };
    const socket = await Bun.connect({
      unix: path,
      socket: {
        data() {},
        drain: () => handlers.line?.push(),
        close: () => handlers.line?.fail(),
        error: () => handlers.line?.fail(),
      },
    });
    handlers.line = new Line(socket);
    // An abstract name is anybody's once its owner has gone. Sockets have an undocumented `fd`.
    const peer = peerCredentials((socket as never as { readonly fd: number }).fd);
    if (peer?.uid === uid) return handlers.line;
    socket.end();
    throw new Error(`somebody else than user ${uid} is there`);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Resolves when the kernel has all of it; rejects when the other end has left. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#unsent = bytes;
    this.#done = Promise.withResolvers();
    this.push();
    await this.#done.promise;
  }

  push(): void {
    const bytes = this.#unsent;
    if (bytes === null) return;
    const written = this.#socket.write(bytes);
    if (written < 0) return this.fail();
    this.#unsent = written < bytes.byteLength ? bytes.subarray(written) : null;
    if (this.#unsent === null) this.#done.resolve();
  }

  fail(): void {
    if (this.#unsent === null) return;
    this.#unsent = null;
    this.#done.reject(new Error("it has left"));
  }

  [Symbol.dispose](): void {
    this.#socket.end();
  }
}
