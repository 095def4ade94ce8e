/** `ctl heap` and `ctl profile`: the file is this user's, and what stands in it comes from the worker itself. */
import { randomBytes } from "node:crypto";
import { closeSync, constants, fchmodSync, openSync, unlinkSync, writeSync } from "node:fs";
import { isA } from "../../api/thrown.ts";
import { type DumpKind, dumpSocket, readDumpHead, tokenBytes } from "../../control/dump.ts";
import { type Client, type Data, Refused } from "./client.ts";
import { TimedOut } from "./waiting.ts";

export interface DumpOrder {
  readonly what: DumpKind;
  /** `PID`, `PID SECONDS`. */
  readonly words: readonly string[];
  readonly file: string;
  /** How long the worker may take to answer. */
  readonly timeoutMs: number;
}

/** How often it is asked whether the worker is still there. */
const pollMs = 500;

/**
 * Throws Refused when there is no whole file in the end: none is left then.
 * @throws Unreachable, and TimedOut when the worker doesn't answer
 */
export async function dump(client: Client, order: DumpOrder): Promise<Data> {
  const { file, words } = order;
  const fd = create(file);
  let isWhole = false;
  const leave = () => {
    if (!isWhole) unlinkSync(file);
    process.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, leave);
  try {
    const bytes = await receive(client, order, fd);
    isWhole = true;
    return { pid: Number(words[0]), file, bytes };
  } finally {
    closeSync(fd);
    if (!isWhole) unlinkSync(file);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, leave);
  }
}

/** A new one, which nobody else reads: a heap has all the secrets of the app. O_EXCL follows no link either. */
function create(file: string): number {
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  try {
    const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    // Whatever the folder's default rights are.
    fchmodSync(fd, 0o600);
    return fd;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "is there already" : message;
    throw new Refused(`${file}: ${why}`, { cause });
  }
}

async function receive(client: Client, order: DumpOrder, fd: number): Promise<number> {
  const token = randomBytes(tokenBytes / 2).toString("hex");
  const pid = Number(order.words[0]);
  const done = Promise.withResolvers<number>();
  const settled = done.promise.then(
    () => true,
    () => true,
  );
  const cut = `Worker ${pid} has gone before ${order.file} was written`;
  let arrival: Arrival | null = null;
  using _ = Bun.listen<Arrival>({
    unix: dumpSocket(token),
    socket: {
      open(socket) {
        socket.data = new Arrival(token, fd);
      },
      data(socket, bytes) {
        try {
          const step = socket.data.take(bytes);
          // Somebody else, who has found the socket's name.
          if (step === "stranger") return void socket.end();
          if (step === "worker") arrival = socket.data;
          else if (typeof step === "number") done.resolve(step);
        } catch (cause) {
          const { message } = cause as Error;
          done.reject(
            isA(cause, Refused)
              ? new Refused(`Worker ${pid}: ${message}`, { cause })
              : new Refused(`${order.file}: ${message}`, { cause }),
          );
        }
      },
      close(socket) {
        if (socket.data === arrival) done.reject(new Refused(cut));
      },
    },
  });
  await client.ask([order.what, ...order.words, token]);
  const endMs = performance.now() + order.timeoutMs;
  while (!(await Promise.race([settled, Bun.sleep(pollMs).then(() => false)]))) {
    if (arrival !== null) continue;
    const waited = `Worker ${pid} hasn't answered within ${order.timeoutMs / 1000} s`;
    if (!(await isThere(client, pid))) done.reject(new Refused(cut));
    else if (performance.now() > endMs) done.reject(new TimedOut(`${waited}: ${whyNot}`));
  }
  return await done.promise;
}

const whyNot = "its event loop is blocked, or it has another network namespace";

/** What comes on one connection. */
class Arrival {
  readonly #token: string;
  readonly #fd: number;
  #early: Buffer = Buffer.alloc(0);
  #isWorker = false;
  #total = 0;
  /** Null before it is known. */
  #left: number | null = null;

  constructor(token: string, fd: number) {
    this.#token = token;
    this.#fd = fd;
  }

  /**
   * Answers with the whole length when all has come, and with `worker` once it is known who sends.
   * @throws Refused with the worker's reason, and what the system says of the file
   */
  take(bytes: Buffer): "more" | "worker" | "stranger" | number {
    if (this.#left !== null) return this.#write(bytes);
    this.#early = Buffer.concat([this.#early, bytes]);
    if (!this.#isWorker) {
      if (this.#early.length < tokenBytes) return "more";
      const token = this.#early.toString("latin1", 0, tokenBytes);
      if (token !== this.#token) return "stranger";
      this.#isWorker = true;
      this.#early = this.#early.subarray(tokenBytes);
    }
    const start = readDumpHead(this.#early);
    if (start === null) return "worker";
    if ("error" in start.head) throw new Refused(start.head.error);
    this.#total = start.head.bytes;
    this.#left = this.#total;
    const step = this.#write(start.rest);
    return step === "more" ? "worker" : step;
  }

  #write(bytes: Buffer): "more" | number {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    this.#left = (this.#left ?? 0) - bytes.length;
    return this.#left > 0 ? "more" : this.#total;
  }
}

async function isThere(client: Client, pid: number): Promise<boolean> {
  const { workers } = await client.ask(["show", "workers"]);
  return Array.isArray(workers) && workers.some((each: Data) => each["pid"] === pid);
}
