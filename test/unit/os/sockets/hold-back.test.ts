import { afterEach, expect, test } from "bun:test";
import { holdBack } from "../../../../src/os/sockets/hold-back.ts";

const TCP_CORK_MS = 200;
const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

/** A connection, and when its client has received what. */
async function connection() {
  const received: { text: string; at: number }[] = [];
  const accepted = Promise.withResolvers<Bun.Socket & { readonly fd: number }>();
  const ended = Promise.withResolvers<void>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => accepted.resolve(socket as never), data() {} },
  });
  const client = await Bun.connect({
    hostname: "127.0.0.1",
    port: listener.port,
    socket: {
      data: (_, bytes) => void received.push({ text: bytes.toString(), at: performance.now() }),
      end: () => ended.resolve(),
      close: () => ended.resolve(),
    },
  });
  closes.push(
    () => client.terminate(),
    () => listener.stop(true),
  );
  return { socket: await accepted.promise, received, ended: ended.promise };
}

test.skipIf(process.platform !== "linux")(
  "what is held back comes in one piece with FIN",
  async () => {
    const { socket, received, ended } = await connection();
    holdBack(socket.fd, true);
    socket.write("one ");
    socket.write("two");
    const at = performance.now();
    socket.shutdown();
    await ended;
    expect(received.map(({ text }) => text)).toEqual(["one two"]);
    expect(received[0]!.at - at).toBeLessThan(TCP_CORK_MS);
  },
);

test("what isn't held back any more comes at once", async () => {
  const { socket, received } = await connection();
  holdBack(socket.fd, true);
  socket.write("one");
  const at = performance.now();
  holdBack(socket.fd, false);
  while (received.length === 0) await Bun.sleep(1);
  expect(received[0]!.text).toBe("one");
  expect(received[0]!.at - at).toBeLessThan(TCP_CORK_MS);
});

test("a descriptor that is no socket is left alone", () => {
  holdBack(-1, true);
  holdBack(0, true);
});
