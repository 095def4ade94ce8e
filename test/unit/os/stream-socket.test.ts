import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemError } from "../../../src/os/libc.ts";
import { encodeTcp, encodeUnix } from "../../../src/os/socket-address.ts";
import { StreamSocket } from "../../../src/os/stream-socket.ts";
import { until } from "../../support/server.ts";

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
