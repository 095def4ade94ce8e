import { expect, test } from "bun:test";
import { ByteClient, type Ending } from "../../../bench/byte-client.ts";
import { Certificates } from "../../support/certificates.ts";

type Socket = Bun.Socket<undefined>;
type Listener = Bun.TCPSocketListener<undefined>;

function listen(socket: Bun.SocketHandler<undefined>): Listener {
  return Bun.listen<undefined>({ hostname: "127.0.0.1", port: 0, socket });
}

/** A server over TLS that ends each connection at its first bytes. */
function listenSecurely(end: (secured: Socket) => void): Listener {
  using certificates = new Certificates();
  const { cert, key } = certificates.make();
  const open = (accepted: Socket) => {
    const tls = { cert, key };
    const options = { data: undefined, tls, isServer: true, socket: { data: end } };
    accepted.upgradeTLS<undefined>(options);
  };
  return listen({ open, data() {} });
}

/** Between the two: it gives the client FIN for the server's close_notify. */
function relay(port: number): Listener {
  return listen({
    async open(client) {
      client.pause();
      const data = (_upstream: Socket, bytes: Buffer) => {
        // A record of 19 bytes is an alert (RFC 8446 §5.2): two bytes, their type, and 16 that seal them.
        const last = bytes.subarray(-24);
        if (last.length < 24 || last.readUInt16BE(3) !== 19) client.write(bytes);
        else client.end(bytes.subarray(0, -24));
      };
      const upstream = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data } });
      client.reload({ socket: { data: (_client, bytes) => void upstream.write(bytes) } });
      client.resume();
    },
    data() {},
  });
}

const ends: [string, Ending, (secured: Socket) => void][] = [
  ["close_notify and FIN", "fin", (secured) => void secured.end()],
  ["FIN alone", "cut", (secured) => void secured.end()],
  ["a reset", "reset", (secured) => secured.terminate()],
];

test.each(ends)("a connection over TLS ends by %s: %s", async (_name, expected, end) => {
  using server = listenSecurely(end);
  using between = relay(server.port);
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const { port } = expected === "cut" ? between : server;
  using client = await ByteClient.connect(
    { port, secure: true },
    { ended: (_client, ending) => resolve(ending) },
  );
  client.send("x");
  expect(await promise).toBe(expected);
});

test.each([
  ["is answered in plain", (socket: Socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["is closed", (socket: Socket) => void socket.end()],
  ["is reset", (socket: Socket) => socket.terminate()],
])("a handshake that %s makes no connection", async (_name, data) => {
  using server = listen({ data });
  const told: string[] = [];
  const connected = ByteClient.connect(
    { port: server.port, secure: true },
    { ended: () => told.push("ended") },
  );
  expect(
    await connected.then(
      () => "connected",
      () => "refused",
    ),
  ).toBe("refused");
  expect(told).toEqual([]);
});
