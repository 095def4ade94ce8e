import { afterEach, describe, expect, test } from "bun:test";
import { ptr } from "bun:ffi";
import {
  acceptPackets,
  refuseNewConnections,
} from "../../../../../src/os/sockets/listening/hop-limit.ts";
import { library } from "../../../../../src/os/libc.ts";
import { hasWaiting } from "../../../../../src/os/sockets/listening/accept-queue.ts";
import { createListeningSocket } from "../../../../../src/os/sockets/listening/socket.ts";
import { encodeTcp } from "../../../../../src/os/sockets/socket-address.ts";
import {
  AF_INET,
  closeFd,
  createStreamSocket,
  duplicateFd,
  getOption,
  setOption,
  system,
} from "../../../../../src/os/sockets/socket-options.ts";
import { until } from "../../../../support/server.ts";

const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_MINTTL = 21;

const open: { stop(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.stop();
});

function listening(family: 4 | 6, hostname: string): { fd: number; port: number } {
  const options = { family, hostname, port: 0, backlog: 16, reusePort: true, v6only: false };
  const socket = createListeningSocket(options);
  open.push({ stop: () => closeFd(socket.fd) });
  return socket;
}

interface Handlers {
  open?(socket: Bun.Socket): void;
  data(socket: Bun.Socket, bytes: Buffer): void;
}

function acceptOn(fd: number, socket: Handlers): { stop(): void } {
  // Bun.listen closes the fd that it gets; `fd` isn't in its types.
  const listener = Bun.listen({ fd: duplicateFd(fd), socket } as never);
  const stopper = { stop: () => void listener.stop(true) };
  open.push(stopper);
  return stopper;
}

const echo: Handlers = { data: (socket, bytes) => void socket.write(`${bytes.toString()} pong`) };

/** A client that was there before: it sends `ping` and waits for the answer. */
async function client(hostname: string, port: number) {
  const answered = Promise.withResolvers<string>();
  const data = (_socket: Bun.Socket, bytes: Buffer) => answered.resolve(bytes.toString());
  const socket = await Bun.connect({ hostname, port, socket: { data } });
  open.push({ stop: () => void socket.end() });
  return { socket, answered: answered.promise };
}

function outcome(hostname: string, port: number): Promise<string> {
  return Bun.connect({ hostname, port, socket: { data() {} } }).then(
    () => "connected",
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}

describe.if(process.platform === "linux")("refuseNewConnections()", () => {
  test.each([
    ["v4", 4, "127.0.0.1", "127.0.0.1"],
    ["v6", 6, "::1", "::1"],
    ["v6, for clients of v4", 6, "::", "127.0.0.1"],
  ] as const)("serves the queue and lets nobody else in (%s)", async (_claim, family, on, to) => {
    const { fd, port } = listening(family, on);
    const queued = await client(to, port);
    await until("the client to wait", () => hasWaiting(fd));

    expect(refuseNewConnections(fd, family)).toBeNull();
    const late = outcome(to, port);
    queued.socket.write("ping");
    const listener = acceptOn(fd, echo);
    expect(await queued.answered).toBe("ping pong");
    // Nothing comes meanwhile.
    expect(await Promise.race([late, Bun.sleep(50).then(() => "pending")])).toBe("pending");

    listener.stop();
    open.shift()?.stop();
    // The client's SYN goes out again, finds no socket, and is refused.
    expect(await late).toBe("ECONNREFUSED");
  });

  test("answers why it can't", () => {
    expect(refuseNewConnections(1_000_000, 4)?.code).toBe("EBADF");
    expect(refuseNewConnections(listening(4, "127.0.0.1").fd, 6)?.code).toBe("ENOPROTOOPT");
  });

  test("acceptPackets() frees a connection whose handshake ended after that", async () => {
    const { fd, port } = listening(4, "127.0.0.1");
    refuseNewConnections(fd, 4);
    // With the largest TTL it gets through, and its socket here is born with the limit.
    const far = createStreamSocket(AF_INET);
    setOption(far, IPPROTO_IP, IP_TTL, 255);
    const address = encodeTcp(4, "127.0.0.1", port);
    library().connect(far, ptr(address), address.byteLength);
    setOption(far, IPPROTO_IP, IP_TTL, 64);
    const answered = Promise.withResolvers<string>();
    let limits: number[] = [];
    acceptOn(fd, {
      open(socket) {
        const { fd: accepted } = socket as unknown as { fd: number };
        const limit = () => getOption(accepted, IPPROTO_IP, IP_MINTTL);
        limits = [limit()];
        acceptPackets(accepted, 4);
        limits.push(limit());
      },
      data: (_socket, bytes) => answered.resolve(bytes.toString()),
    });
    library().sendto(far, ptr(new TextEncoder().encode("ping")), 4, 0, null, 0);
    expect(await answered.promise).toBe("ping");
    expect(limits).toEqual([255, 0]);
    expect(getOption(fd, system.socketLevel, system.acceptsConnections)).toBe(1);
    closeFd(far);
  });
});
