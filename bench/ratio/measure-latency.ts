/** How long an event of a text/event-stream is on its way: from the request that causes it to each of its readers. */
import { ByteClient, type Receiver } from "../byte-client.ts";
import { BenchError } from "../errors.ts";
import { medianOf } from "../statistics.ts";
import type { Figure } from "./figure.ts";
import { type Side, startSide } from "./sides.ts";

const readers = 8;

const periodMs = 5;

const warmUpSeconds = 1;

const event = "data: ";

/** The median of all events of all readers. */
export async function measureEventLatency(side: Side, seconds: number): Promise<Figure> {
  await using server = startSide(side, "events");
  await server.answered();
  let cut = 0;
  let sentAtMs = 0;
  const latenciesUs: number[] = [];
  const open = (receiver: Receiver) => {
    const { hostname, port } = new URL(server.url);
    return ByteClient.connect({ hostname, port: Number(port) }, receiver);
  };
  const reader = {
    data(_client: ByteClient, bytes: Buffer) {
      if (bytes.includes(event)) latenciesUs.push((performance.now() - sentAtMs) * 1000);
    },
    ended: () => void (cut += 1),
  };
  using stack = new DisposableStack();
  const sender = stack.use(await open({}));
  for (let count = 0; count < readers; count++) {
    stack.use(await open(reader)).send("GET /events HTTP/1.1\r\nHost: bench\r\n\r\n");
  }
  const sendFor = async (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;) {
      await Bun.sleep(periodMs);
      sentAtMs = performance.now();
      sender.send("GET /send HTTP/1.1\r\nHost: bench\r\n\r\n");
    }
  };
  await sendFor(Math.min(warmUpSeconds, seconds) * 1000);
  latenciesUs.length = 0;
  await sendFor(seconds * 1000);
  if (latenciesUs.length === 0) throw new BenchError("no event has come");
  const value = medianOf(latenciesUs);
  return { value, requestsPerSecond: null, errors: cut, driverBusy: null };
}
