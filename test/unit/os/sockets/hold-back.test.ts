import { afterEach, expect, test } from "bun:test";
import { holdBack } from "../../../../src/os/sockets/hold-back.ts";
import { until } from "../../../support/server.ts";

/** Linux holds nothing back for longer. */
const longestMs = 200;
/** A busy machine may be as late by chance, but not each time. */
const attempts = 5;
const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

/** A connection, and when its client has received what. */
async function connection() {
  const received: { text: string; at: number }[] = [];
  const accepted = Promise.withResolvers<Bun.Socket & { readonly fd: number }>();
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
    },
  });
  closes.push(
    () => client.terminate(),
    () => listener.stop(true),
  );
  return { socket: await accepted.promise, received };
}

/** What came first in one piece, and how soon behind the last of `steps`, at best. */
async function soonest(
  steps: (socket: Bun.Socket & { readonly fd: number }) => void | Promise<void>,
) {
  const pieces = new Set<string>();
  let bestMs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts && bestMs >= longestMs; attempt++) {
    const { socket, received } = await connection();
    await steps(socket);
    const begunMs = performance.now();
    await until("what was sent", () => received.length > 0);
    pieces.add(received[0]!.text);
    bestMs = Math.min(bestMs, received[0]!.at - begunMs);
  }
  return { pieces: [...pieces], bestMs };
}

test.skipIf(process.platform !== "linux")(
  "what is held back comes in one piece with FIN",
  async () => {
    const { pieces, bestMs } = await soonest(async (socket) => {
      holdBack(socket.fd, true);
      socket.write("one ");
      // Long enough to come alone if nothing held it.
      await Bun.sleep(longestMs / 10);
      socket.write("two");
      socket.shutdown();
    });
    expect(pieces).toEqual(["one two"]);
    expect(bestMs).toBeLessThan(longestMs);
  },
);

test("what isn't held back any more comes at once", async () => {
  const { pieces, bestMs } = await soonest((socket) => {
    holdBack(socket.fd, true);
    socket.write("one");
    holdBack(socket.fd, false);
  });
  expect(pieces).toEqual(["one"]);
  expect(bestMs).toBeLessThan(longestMs);
});

test("a descriptor that is no socket is left alone", () => {
  holdBack(-1, true);
  holdBack(0, true);
});
