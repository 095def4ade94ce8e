/**
 * Closed-loop clients that open a connection for each request, until they are refused: whose connection was opened gets
 * its answer. Run with a URL, the answer's text and how many clients; prints a line when 100 requests are answered, and
 * in the end the outcome as JSON.
 */
import { ByteClient } from "../../../bench/byte-client.ts";

export interface StopLoadResult {
  readonly answered: number;
  /** What befell those whose connection had been opened, and who have no whole answer. */
  readonly lost: readonly string[];
  /** Clients that could no longer connect: each ends with that. */
  readonly refused: number;
}

/** Ends each request under way. */
const waiting = new Set<() => void>();

/** One request; null when it can't connect, an empty text when it has been answered, or what went wrong. */
async function request(url: URL, expected: string): Promise<string | null> {
  const ended = Promise.withResolvers<string | null>();
  let received = "";
  let opened = false;
  const finish = (outcome: string) => ended.resolve(opened ? outcome : null);
  const judge = () =>
    finish(
      received.startsWith("HTTP/1.1 200 ") && received.endsWith(`\r\n\r\n${expected}`)
        ? ""
        : `got: ${received}`,
    );
  const giveUp = () => finish("no answer");
  waiting.add(giveUp);
  ByteClient.connect(
    { hostname: url.hostname, port: Number(url.port), secure: url.protocol === "https:" },
    {
      data: (_client, bytes) => void (received += bytes.toString("latin1")),
      ended: (client, ending, error) => {
        opened = true;
        if (ending === "fin") judge();
        else finish(`reset: ${error}`);
        client.close();
      },
    },
  ).then(
    (client) => {
      opened = true;
      client.send(`GET ${url.pathname} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
    },
    () => ended.resolve(null),
  );
  return ended.promise.finally(() => waiting.delete(giveUp));
}

if (import.meta.main) {
  const [address = "", expected = "", clients = "8"] = process.argv.slice(2);
  const url = new URL(address);
  const outcome = { answered: 0, lost: [] as string[], refused: 0 };
  // The end of the input is that of the server: who still waits then waits for nothing.
  let over = false;
  void Bun.stdin.text().then(() => {
    over = true;
    for (const giveUp of waiting) giveUp();
  });
  const run = async () => {
    for (;;) {
      const answer = await request(url, expected);
      if (answer === null) break;
      if (answer === "") outcome.answered += 1;
      else outcome.lost.push(answer);
      if (outcome.answered === 100) process.stdout.write("100 answered\n");
      if (over) break;
    }
    outcome.refused += 1;
  };
  await Promise.all(Array.from({ length: Number(clients) }, run));
  process.stdout.write(`${JSON.stringify(outcome satisfies StopLoadResult)}\n`);
  process.exit(0);
}
