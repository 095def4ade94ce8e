import { expect, test } from "bun:test";
import { unreadBytes } from "../../../../src/os/sockets/send-queue.ts";
import { until } from "../../../support/server.ts";

test("unreadBytes() counts what has come, FIN apart, and knows nothing of what is no socket", async () => {
  const { promise: accepted, resolve } = Promise.withResolvers<{ readonly fd: number }>();
  using listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.pause();
        resolve(socket as never);
      },
      data() {},
    },
  });
  const { port } = listener;
  const client = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
  const { fd } = await accepted;
  expect(unreadBytes(fd)).toBe(0);
  client.write("abc");
  await until("three bytes", () => unreadBytes(fd) === 3);
  client.write("de");
  client.shutdown();
  await until("two more", () => unreadBytes(fd) > 3);
  expect([unreadBytes(fd), unreadBytes(-1)]).toEqual([5, -1]);
  client.terminate();
});
