/** Clients of a TLS port that don't come as far as a request: others are served meanwhile, and nothing is left of them. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  type Abuser,
  allCut,
  calmTlsServer,
  crowd,
  endure,
  FigureTable,
  logCount,
} from "../support/abuse.ts";
import { openSockets } from "../support/memory.ts";
import { until } from "../support/server.ts";

setDefaultTimeout(120_000);
const table = new FigureTable();
afterAll(() => table.print("a client without TLS"));

/** A timeout of one second: nobody is cut before it. */
const earliestMs = 950;

/** What a client says first. */
async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = { data: (_socket: unknown, bytes: Buffer) => resolve(Buffer.from(bytes)) };
  using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
  const client = await Bun.connect({
    hostname: "127.0.0.1",
    port: listener.port,
    tls: true,
    socket: { data() {} },
  });
  const bytes = await promise;
  client.terminate();
  return bytes;
}

const hello = await clientHello();
const half = hello.subarray(0, hello.length / 2);

const noise = Buffer.alloc(1000, new Bun.CryptoHasher("sha256").update("noise").digest());

const garbage = [
  Buffer.alloc(1000),
  noise,
  Buffer.from("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "latin1"),
  Buffer.from("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80".padEnd(48, "x"), "latin1"),
  Buffer.concat([half, noise]),
  Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"),
];

interface Row {
  readonly abuse: string;
  readonly count: number;
  /** What the client with a number sends. */
  readonly bytes: (number: number) => Buffer;
  /** The server waits for more, as long as it may. */
  readonly waits: boolean;
}

const rows: readonly Row[] = [
  { abuse: "500 silent clients", count: 500, bytes: () => Buffer.alloc(0), waits: true },
  {
    abuse: "500 clients that send garbage",
    count: 500,
    bytes: (number) => garbage[number % garbage.length] as Buffer,
    waits: false,
  },
  {
    abuse: "200 handshakes that stop half-way",
    count: 200,
    bytes: (number) => (number % 2 === 0 ? half : hello),
    waits: true,
  },
];

test.each(rows)("$abuse", async ({ abuse, count, bytes, waits }) => {
  const args = ["--header-timeout", "1", "--keep-alive", "300", "--log-level", "debug"];
  await using server = await calmTlsServer(...args);
  const [pid = 0] = server.workers();
  const before = openSockets(pid);
  await endure({ server, abuse, table, served: 500 }, async (served) => {
    const abusers = await crowd(server.port, count, (abuser, number) => {
      if (bytes(number).length > 0) abuser.send(bytes(number));
    });
    await allCut(abusers);
    if (waits) expectTime(abusers);
    // Garbage is refused at once.
    await until("others to be served", () => served() >= 500);
    return abusers;
  });
  await until("their descriptors closed", () => openSockets(pid) <= before);
  const late = logCount(server, "TLS handshake: header_timeout");
  if (waits) expect(late).toBe(count);
  else expect(logCount(server, "TLS handshake: ")).toBe(count);
});

function expectTime(abusers: readonly Abuser[]): void {
  for (const { cutMs } of abusers) expect(cutMs).toBeGreaterThan(earliestMs);
}
