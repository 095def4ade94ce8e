import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemError } from "../../../../src/os/libc.ts";
import { encodeTcp, encodeUnix } from "../../../../src/os/sockets/socket-address.ts";
import {
  getOption,
  IPPROTO_TCP,
  onLinux,
  system,
} from "../../../../src/os/sockets/socket-options.ts";
import { StreamSocket } from "../../../../src/os/sockets/stream-socket.ts";
import { until } from "../../../support/server.ts";
import { testUnless } from "../../../support/wire.ts";

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-stream-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

/** A listener that keeps what it is sent, and hangs up when told to. */
function listen(where: { unix: string } | { hostname: string; port: number }) {
  const got: string[] = [];
  const sockets: Bun.Socket[] = [];
  const socket = {
    open: (each: Bun.Socket) => void sockets.push(each),
    data: (_each: Bun.Socket, data: Buffer) => void got.push(data.toString()),
  };
  const server =
    "unix" in where ? Bun.listen({ ...where, socket }) : Bun.listen({ ...where, socket });
  return { server, got, sockets, port: (server as { port?: number }).port ?? 0 };
}

const kinds = [
  [
    "TCP over IPv4",
    { hostname: "127.0.0.1", port: 0 },
    (port: number) => encodeTcp(4, "127.0.0.1", port),
  ],
  ["TCP over IPv6", { hostname: "::1", port: 0 }, (port: number) => encodeTcp(6, "::1", port)],
  ["unix", { unix: join(folder, "ear") }, () => encodeUnix(join(folder, "ear"))],
] as const;

const TCP_USER_TIMEOUT = 18;
const SO_KEEPALIVE = 9;

testUnless(!onLinux)(
  "a receiver may pause as long as it likes, and one that is gone is found out",
  () => {
    const ear = listen({ hostname: "127.0.0.1", port: 0 });
    const before = openSockets().map(({ name }) => name);
    using socket = new StreamSocket(encodeTcp(4, "127.0.0.1", ear.port));
    const { fd } = openSockets().find(({ name }) => !before.includes(name)) ?? { fd: -1 };
    // The kernel counts a window of zero as silence there.
    expect(getOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT)).toBe(0);
    expect(getOption(fd, system.socketLevel, SO_KEEPALIVE)).toBe(1);
    expect(socket.over).toBe(false);
    ear.server.stop(true);
  },
);

function openSockets(): readonly { readonly fd: number; readonly name: string }[] {
  return readdirSync("/proc/self/fd")
    .map((fd) => ({ fd: Number(fd), name: linkAt(`/proc/self/fd/${fd}`) }))
    .filter(({ name }) => name.startsWith("socket:"));
}

/** Empty for the descriptor that has listed the folder. */
function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // ENOENT: closed meanwhile.
    return "";
  }
}

test.each(kinds)(
  "sends by %s, and sees the other side hang up",
  async (_what, where, addressOf) => {
    const ear = listen(where);
    using socket = new StreamSocket(addressOf(ear.port));
    await until("all bytes taken", () => socket.send(bytes("hello\n")) === 6);
    await until("what was sent", () => ear.got.join("") === "hello\n");
    expect(socket.over).toBe(false);
    for (const each of ear.sockets) each.end();
    await until("the end", () => socket.over);
    ear.server.stop(true);
  },
);

test("a peer that doesn't read takes what there is room for, and no more", async () => {
  const ear = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (each) => void each.pause(), data() {} },
  });
  using socket = new StreamSocket(encodeTcp(4, "127.0.0.1", ear.port));
  const chunk = new Uint8Array(1024 * 1024);
  await until("no more room", () => socket.send(chunk) === 0);
  expect(socket.over).toBe(false);
  ear.stop(true);
});

test("a refused connection is told by over and send(), or at once", async () => {
  const ear = listen({ hostname: "127.0.0.1", port: 0 });
  ear.server.stop(true);
  using socket = new StreamSocket(encodeTcp(4, "127.0.0.1", ear.port));
  await until("the refusal", () => socket.over);
  const sent = socket.send(bytes("x"));
  expect(sent).toBeInstanceOf(SystemError);
  expect(() => new StreamSocket(encodeUnix(join(folder, "nobody")))).toThrow(SystemError);
});
