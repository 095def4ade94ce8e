import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { hasWaiting } from "../../../../../src/os/sockets/listening/accept-queue.ts";
import {
  canSeeHandshakes,
  deferAccept,
  hasHandshakes,
} from "../../../../../src/os/sockets/listening/defer-accept.ts";
import { refuseNewConnections } from "../../../../../src/os/sockets/listening/hop-limit.ts";
import { createListeningSocket } from "../../../../../src/os/sockets/listening/socket.ts";
import { closeFd } from "../../../../../src/os/sockets/socket-options.ts";
import { until } from "../../../../support/server.ts";

/** How long the master lets silent clients be under way: see plan.ts. */
const silentSettleMs = 1500;

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

function listening(family: 4 | 6 = 4, hostname = "127.0.0.1", backlog = 16) {
  const options = { family, hostname, port: 0, backlog, reusePort: true, v6only: false };
  const socket = createListeningSocket(options);
  open.push(() => closeFd(socket.fd));
  deferAccept(socket.fd, true);
  return socket;
}

async function connect(hostname: string, port: number) {
  const socket = await Bun.connect({ hostname, port, socket: { data() {} } });
  open.push(() => void socket.end());
  return socket;
}

const hosts = [
  ["v4", 4, "127.0.0.1", "127.0.0.1"],
  ["v6", 6, "::1", "::1"],
  ["v6, for clients of v4", 6, "::", "127.0.0.1"],
] as const;

describe.if(process.platform === "linux")("deferAccept()", () => {
  test.each(hosts)(
    "a client waits to be accepted when it has spoken (%s)",
    async (_, family, on, to) => {
      const { fd, port } = listening(family, on);
      const ports = new Set([port]);
      expect(hasHandshakes(ports)).toBe(false);
      const client = await connect(to, port);
      expect(hasHandshakes(ports)).toBe(true);
      expect(hasHandshakes(new Set([port === 1 ? 2 : port - 1]))).toBe(false);
      expect(hasWaiting(fd)).toBe(false);
      client.write("GET");
      await until("the client to wait", () => hasWaiting(fd));
      expect(hasHandshakes(ports)).toBe(false);
    },
  );

  test.each(hosts)(
    "who is silent waits in time, where nobody else is let in, too (%s)",
    async (_, family, on, to) => {
      const { fd, port } = listening(family, on);
      await connect(to, port);
      const begun = performance.now();
      refuseNewConnections(fd, family);
      await until("the client to wait", () => hasWaiting(fd));
      expect(performance.now() - begun).toBeWithin(500, silentSettleMs);
      expect(hasHandshakes(new Set([port]))).toBe(false);
    },
  );

  test("they are found among those at other ports, which take many packets of answers", async () => {
    const crowded = listening(4, "127.0.0.1", 1024);
    const { port } = listening();
    await Promise.all(Array.from({ length: 900 }, () => connect("127.0.0.1", crowded.port)));
    const ports = new Set([port]);
    expect(hasHandshakes(ports)).toBe(false);
    await connect("127.0.0.1", port);
    expect(hasHandshakes(ports)).toBe(true);
    expect(hasHandshakes(new Set([crowded.port]))).toBe(true);
  });

  test("asking leaves no descriptor open", () => {
    const { port } = listening();
    const before = readdirSync("/proc/self/fd").length;
    expect(canSeeHandshakes()).toBe(true);
    expect(hasHandshakes(new Set([port]))).toBe(false);
    expect(readdirSync("/proc/self/fd")).toHaveLength(before);
  });

  test("nobody waits for bytes any more", async () => {
    const { fd, port } = listening();
    deferAccept(fd, false);
    await connect("127.0.0.1", port);
    await until("the client to wait", () => hasWaiting(fd));
    expect(hasHandshakes(new Set([port]))).toBe(false);
  });
});
