/** proxy_protocol on secure listeners: the header comes in front of TLS, as HAProxy's send-proxy and AWS send it. */
import { expect, test } from "bun:test";
import { connect as connectPlain } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer } from "../support/server.ts";
import { dawdle } from "../support/dawdle.ts";

const app = `export default {
  fetch: (request, server) => Response.json([request.url.slice(0, 6), server.requestIP(request)?.address]),
};`;

/** The test's own first question comes without a header. */
function serve(...args: readonly string[]): Promise<RunningServer> {
  return gunicorn({
    secure: true,
    files: { "app.ts": app },
    args: ["--log-level", "debug", "--access-logfile", "-", ...args],
  });
}

const v1 = "PROXY TCP4 192.0.2.9 198.51.100.7 4321 443\r\n";
/** The signature, PROXY over TCP4, 12 bytes: two addresses and two ports. */
const v2 = Buffer.from("0d0a0d0a000d0a515549540a2111000cc0000209c633640710e101bb", "hex").toString(
  "latin1",
);

/** How the header and the ClientHello come: as segments, by the places where they are cut. */
const cuts: readonly (readonly [name: string, places: (header: number) => readonly number[]])[] = [
  ["in one segment", () => []],
  ["in two", (header) => [header]],
  ["with half of the ClientHello", (header) => [header + 100]],
  ["cut in the header", (header) => [5, header - 1]],
  ["with a byte of the ClientHello", (header) => [header + 1]],
];

/** Asks through a socket of which the first bytes are sent as said. */
async function ask(
  port: number,
  header: string,
  places: (header: number) => readonly number[],
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // TLS is spoken to a relay in this process, which puts the header in front.
  const relay = Bun.listen<{ toServer: ReturnType<typeof connectPlain> | null }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { toServer: null };
      },
      data(socket, bytes) {
        if (socket.data.toServer !== null) return void socket.data.toServer.write(bytes);
        const toServer = connectPlain(port, "127.0.0.1");
        toServer.setNoDelay(true);
        socket.data.toServer = toServer;
        toServer.on("data", (answer: Buffer) => void socket.write(answer));
        toServer.on("close", () => socket.end());
        toServer.on("error", reject);
        const first = Buffer.concat([Buffer.from(header, "latin1"), bytes]);
        void sendPieces(toServer, first, places(header.length));
      },
      close(socket) {
        socket.data.toServer?.end();
      },
    },
  });
  const client = connectSecurely({
    host: "127.0.0.1",
    port: relay.port,
    rejectUnauthorized: false,
  });
  let text = "";
  client.on("secureConnect", () =>
    client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
  );
  client.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
  client.on("error", reject);
  client.on("close", () => resolve(text));
  const answer = await promise;
  relay.stop(true);
  return answer;
}

async function sendPieces(
  socket: ReturnType<typeof connectPlain>,
  bytes: Buffer,
  places: readonly number[],
): Promise<void> {
  let from = 0;
  for (const place of [...places, bytes.length]) {
    const piece = bytes.subarray(from, place);
    from = place;
    await new Promise<void>((resolve) => void socket.write(piece, () => resolve()));
    // So that each comes by itself.
    await dawdle(20);
  }
}

test.each(["v1", "v2", "auto"])(
  "--proxy-protocol %s names the client",
  async (mode) => {
    await using server = await serve("--proxy-protocol", mode);
    for (const header of mode === "v2" ? [v2] : mode === "v1" ? [v1] : [v1, v2]) {
      for (const [name, places] of cuts) {
        const answer = await ask(server.port, header, places);
        expect({ mode, name, answer }).toMatchObject({
          answer: expect.stringContaining('["https:","192.0.2.9"]'),
        });
      }
    }
    await server.logged(/^192\.0\.2\.9 - - .*"GET \/ HTTP\/1\.1" 200/m);
  },
  60_000,
);

test("a client without a header is served, as over plain HTTP", async () => {
  await using server = await serve("--proxy-protocol", "auto");
  expect(await (await server.fetch()).json()).toEqual(["https:", "127.0.0.1"]);
});

test.each<[string, readonly string[], string, string]>([
  [
    "of a stranger",
    ["--proxy-allow-from", "10.0.0.1"],
    v1,
    "[WARNING] Invalid request from ip=127.0.0.1: PROXY header from a peer outside proxy_allow_ips",
  ],
  ["that is wrong", [], "PROXY TCP9 x\r\n", "[WARNING] Invalid request from ip=127.0.0.1: "],
  [
    "that doesn't end",
    ["--header-timeout", "1"],
    v1.slice(0, 20),
    "Closing ip=127.0.0.1: PROXY header: header_timeout",
  ],
])("a header %s ends the connection, and the log says why", async (_name, args, header, line) => {
  await using server = await serve("--proxy-protocol", "auto", ...args);
  using client = await RawClient.connect(server.port);
  client.send(header);
  await client.ended();
  await server.logged(line);
  expect(server.log).not.toContain("[ERROR]");
});

test("a client that only speaks PROXY is cut after header_timeout", async () => {
  await using server = await serve("--proxy-protocol", "auto", "--header-timeout", "1");
  using client = await RawClient.connect(server.port);
  client.send(v1);
  expect(await client.ended()).toBe("fin");
  await server.logged("Closing ip=192.0.2.9: TLS handshake: header_timeout");
});

test("garbage behind the header is cut, and the log says why", async () => {
  await using server = await serve("--proxy-protocol", "auto");
  using client = await RawClient.connect(server.port);
  client.send(`${v1}garbage garbage garbage`);
  await client.ended();
  await server.logged("Closing ip=192.0.2.9: TLS handshake: wrong version number");
});

test("plain HTTP behind the header is answered with 400", async () => {
  await using server = await serve("--proxy-protocol", "auto");
  using client = await RawClient.connect(server.port);
  const answer = await client.ask(`${v1}GET / HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(answer.status).toBe(400);
  await server.logged("Invalid request from ip=192.0.2.9: The plain HTTP request was sent");
});
