import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../../../../../bench/free-port.ts";
import { steerReuseport } from "../../../../../src/os/sockets/listening/bpf.ts";
import { fcntl, SystemError } from "../../../../../src/os/libc.ts";
import {
  acceptQueueLength,
  hasWaiting,
} from "../../../../../src/os/sockets/listening/accept-queue.ts";
import {
  claimAddress,
  createListeningSocket,
  createReservedSocket,
  type ListeningSocketOptions,
} from "../../../../../src/os/sockets/listening/socket.ts";
import {
  closeFd,
  duplicateFd,
  setCloseOnExec,
} from "../../../../../src/os/sockets/socket-options.ts";
import { until } from "../../../../support/server.ts";

const onLinux = process.platform === "linux";
const F_GETFD = 1;
const F_GETFL = 3;
const loopback: ListeningSocketOptions = {
  family: 4,
  hostname: "127.0.0.1",
  port: 0,
  backlog: 16,
  reusePort: false,
  v6only: false,
};

const open: number[] = [];

function create(options: Partial<ListeningSocketOptions> = {}): { fd: number; port: number } {
  const socket = createListeningSocket({ ...loopback, ...options });
  open.push(socket.fd);
  return socket;
}

function failureOf(work: () => unknown): SystemError {
  try {
    work();
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

afterEach(() => {
  for (const fd of open.splice(0)) closeFd(fd);
});

describe("createListeningSocket()", () => {
  test("reports the port that the kernel chose", () => {
    expect(create().port).toBeGreaterThan(0);
  });

  test("makes the socket close-on-exec and non-blocking", () => {
    const { fd } = create();
    expect(fcntl(fd, F_GETFD, 0) & 1).toBe(1);
    const nonBlocking = onLinux ? 0o4000 : 0x0004;
    expect(fcntl(fd, F_GETFL, 0) & nonBlocking).toBe(nonBlocking);
  });

  test("throws SystemError with Python's words for a port in use", () => {
    const { port } = create();
    const error = failureOf(() => create({ port }));
    expect(error.code).toBe("EADDRINUSE");
    expect(error.syscall).toBe("bind");
    if (onLinux) expect(error.message).toBe("[Errno 98] Address already in use");
  });

  test("throws EADDRNOTAVAIL for an address of another machine", () => {
    expect(failureOf(() => create({ hostname: "203.0.113.1" })).code).toBe("EADDRNOTAVAIL");
  });

  test("refuses a hostname that isn't numeric", () => {
    expect(() => create({ hostname: "localhost" })).toThrow(
      new TypeError("not a numeric v4 address: localhost"),
    );
  });

  test("leaves v4 to others with v6only, and takes it without", () => {
    const alone = create({ family: 6, hostname: "::", v6only: true });
    create({ hostname: "0.0.0.0", port: alone.port });
    const both = create({ family: 6, hostname: "::" });
    expect(failureOf(() => create({ hostname: "0.0.0.0", port: both.port })).code).toBe(
      "EADDRINUSE",
    );
  });
});

describe("claimAddress()", () => {
  for (const reusePort of [false, true])
    test(`sees a listener ${reusePort ? "with" : "without"} SO_REUSEPORT`, () => {
      const { port } = create({ reusePort });
      expect(failureOf(() => claimAddress({ ...loopback, port })).code).toBe("EADDRINUSE");
      expect(failureOf(() => claimAddress({ ...loopback, hostname: "0.0.0.0", port })).code).toBe(
        "EADDRINUSE",
      );
    });

  test("leaves nothing behind", () => {
    const port = freePort();
    claimAddress({ ...loopback, port })[Symbol.dispose]();
    claimAddress({ ...loopback, port })[Symbol.dispose]();
    expect(create({ port }).port).toBe(port);
  });

  test.if(onLinux).each([
    [4, "127.0.0.1"],
    [6, "::1"],
  ] as const)(
    "keeps the address over IPv%d until a socket listens on it, and lets nobody wait",
    async (family, hostname) => {
      const parts = { ...loopback, family, hostname, port: freePort() };
      const connect = () => Bun.connect({ hostname, port: parts.port, socket: { data() {} } });
      const clients: Bun.Socket[] = [];
      let first: number | null = null;
      {
        using held = new DisposableStack();
        held.use(claimAddress(parts));
        expect(failureOf(() => claimAddress(parts)).code).toBe("EADDRINUSE");
        const refused = connect().then(
          () => null,
          ({ code }) => code,
        );
        expect(await refused).toBe("ECONNREFUSED");
        ({ fd: first } = create({ ...parts, backlog: 64, reusePort: true }));
        clients.push(...(await Promise.all(Array.from({ length: 32 }, connect))));
      }
      expect(failureOf(() => claimAddress(parts)).code).toBe("EADDRINUSE");
      await until("all of them to wait", () => acceptQueueLength(first) === clients.length);
      // The kernel's numbers begin with the one that stays.
      expect(steerReuseport(first, [1])).toBeNull();
      (await connect()).end();
      for (const client of clients) client.end();
    },
  );
});

test.if(onLinux).each([
  [true, "EADDRINUSE"],
  [false, null],
] as const)(
  "createReservedSocket(), strict: %p: a claim of the address fails with %p",
  (strict, code) => {
    const parts = { ...loopback, port: freePort(), reusePort: true };
    open.push(createReservedSocket({ ...parts, strict }).fd);
    const claim = () => claimAddress(parts)[Symbol.dispose]();
    if (code === null) claim();
    else expect(failureOf(claim).code).toBe(code);
    // Its workers' own.
    create(parts);
    create(parts);
  },
);

test("setCloseOnExec() sets the flag", () => {
  const { fd } = create();
  fcntl(fd, 2, 0);
  setCloseOnExec(fd);
  expect(fcntl(fd, F_GETFD, 0) & 1).toBe(1);
});

test("closeFd() throws for an fd that isn't open", () => {
  expect(failureOf(() => closeFd(1_000_000)).code).toBe("EBADF");
});

test("steerReuseport() refuses a count below 1", () => {
  const { fd } = create({ reusePort: true });
  expect(() => steerReuseport(fd, [0, 0])).toThrow(RangeError);
});

/** Everything that a client sees of its connection. */
function connect(port: number): { connected: Promise<boolean>; socket: Promise<Bun.Socket> } {
  const socket = Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
  return {
    socket,
    connected: socket.then(
      () => true,
      () => false,
    ),
  };
}

test("hasWaiting() sees what waits, until it is accepted", async () => {
  const { fd, port } = create();
  expect(hasWaiting(fd)).toBe(false);
  const client = await connect(port).socket;
  // The client's last packet may still be on its way.
  await until("it to wait", () => hasWaiting(fd));
  const listener = listenOn(fd, () => {});
  await until("it to be accepted", () => !hasWaiting(fd));
  listener.stop(true);
  client.end();
});

test.if(onLinux).each([
  [4, "127.0.0.1"],
  [6, "::1"],
] as const)("acceptQueueLength() counts what waits over IPv%d", async (family, hostname) => {
  const { fd, port } = create({ family, hostname, v6only: true });
  expect(acceptQueueLength(fd)).toBe(0);
  const socket = { data() {} };
  const clients = await Promise.all([1, 2, 3].map(() => Bun.connect({ hostname, port, socket })));
  await until("all to wait", () => acceptQueueLength(fd) === 3);
  const listener = listenOn(fd, () => {});
  await until("all to be accepted", () => acceptQueueLength(fd) === 0);
  listener.stop(true);
  for (const client of clients) client.end();
});

function listenOn(
  fd: number,
  data: (socket: Bun.Socket, bytes: Buffer) => void,
): { stop(all: boolean): void } {
  // Bun.listen closes the fd that it gets; `fd` isn't in its types.
  const options = { fd: duplicateFd(fd), socket: { data } };
  return Bun.listen(options as unknown as Bun.TCPSocketListenOptions);
}
