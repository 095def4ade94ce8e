/** Listeners for a test, with servers on their sockets and clients that ask who answers. */
import { afterEach } from "bun:test";
import { ByteClient, type ServerAddress } from "../../bench/byte-client.ts";
import { type Address, parseAddress } from "../../src/net/bind-address.ts";
import { Listeners, type OpenOptions } from "../../src/listen/listeners.ts";
import { duplicateFd } from "../../src/os/sockets/socket-options.ts";

export const onLinux = process.platform === "linux";

export const openOptions: OpenOptions = {
  backlog: 1024,
  kind: onLinux ? "slots" : "shared",
  retryDelayMs: 1,
};

const cleanUps: (() => void)[] = [];

/** Ends what the functions below have started; it also runs after each test. */
export function cleanUp(): void {
  for (const work of cleanUps.splice(0).toReversed()) work();
}

afterEach(cleanUp);

export function addressOf(text: string): Address {
  return parseAddress(text, process.cwd());
}

export async function openListeners(
  binds: readonly string[],
  slots: number,
  changes: Partial<OpenOptions> = {},
): Promise<Listeners> {
  const listeners = closing(new Listeners());
  await listeners.open(binds.map(addressOf), slots, { ...openOptions, ...changes });
  return listeners;
}

/** Closes them after the test. */
export function closing(listeners: Listeners): Listeners {
  cleanUps.push(() => listeners.close(false));
  return listeners;
}

/** Answers each connection with `name`. Works on a copy of the fd, since Bun.listen closes what it gets. */
export function serve(fd: number, name: string): void {
  const socket = {
    open: (client: Bun.Socket) => void client.end(name),
    data() {},
  };
  const copy = { fd: duplicateFd(fd), socket };
  const listener = Bun.listen(copy as unknown as Bun.TCPSocketListenOptions);
  cleanUps.push(() => listener.stop(true));
}

/** A connection and the answer to it; `opened` is false if it was refused. */
export interface Asked extends Promise<string> {
  readonly opened: Promise<boolean>;
}

export function ask(hostname: string, port: number): Asked {
  return connect({ hostname, port });
}

export function askUnix(unix: string): Asked {
  return connect({ unix });
}

function connect(to: ServerAddress): Asked {
  const answered = Promise.withResolvers<string>();
  const opened = Promise.withResolvers<boolean>();
  let answer = "";
  ByteClient.connect(to, {
    data: (_client, bytes) => void (answer += bytes.toString()),
    ended: (client) => {
      client.close();
      answered.resolve(answer);
    },
  }).then(
    () => opened.resolve(true),
    (error: unknown) => {
      opened.resolve(false);
      answered.reject(error);
    },
  );
  // A test may want `opened` only.
  answered.promise.catch(() => {});
  return Object.assign(answered.promise, { opened: opened.promise });
}

export function portOf(listeners: Listeners, address = 0): number {
  const bound = listeners.forSlot(0)[address]?.bound;
  return bound?.type === "tcp" ? bound.port : 0;
}

export function fdsOf(listeners: Listeners, slot: number): number[] {
  return listeners.forSlot(slot).map(({ fd }) => fd);
}
