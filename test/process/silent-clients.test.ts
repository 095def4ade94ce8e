/** Who has connected, and sends its request a little later, is served whatever happens meanwhile. */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { ServerAddress } from "../../bench/byte-client.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer } from "../support/server.ts";

setDefaultTimeout(120_000);

const clients = 12;
const files = { "app.ts": `export const fetch = () => new Response("ok");` };
const request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

/** Some that connect just before `happens`, and speak after it. */
async function served(
  at: number | ServerAddress,
  happens: () => void,
  afterMs: number,
): Promise<number[]> {
  const silent = await Promise.all(Array.from({ length: clients }, () => RawClient.connect(at)));
  happens();
  await Bun.sleep(afterMs);
  const statuses = silent.map(async (client) => {
    using each = client;
    each.send(request);
    return (await each.answer()).status;
  });
  return await Promise.all(statuses);
}

const all200 = Array.from({ length: clients }, () => 200);

const config = (host: string) =>
  `export default { bind: ["127.0.0.1:0", "${host}:0"], workers: 2, keepalive: 5 };`;

const events: [what: string, happens: (server: RunningServer) => void][] = [
  ["a stop", (server) => server.kill("SIGTERM")],
  ["a reload", (server) => server.kill("SIGHUP")],
  ["fewer workers", (server) => server.kill("SIGTTOU")],
];

for (const afterMs of [300, 900, 1800]) {
  test.each(events)(`%s, ${afterMs} ms before`, async (_, happens) => {
    await using server = await gunicorn({ files, args: ["-w", "3", "--keep-alive", "5"] });
    expect(await served(server.port, () => happens(server), afterMs)).toEqual(all200);
  });
}

test("a reload that leaves out where they are, 900 ms before", async () => {
  const conf = { "gunicorn.conf.ts": config("127.0.0.2") };
  await using server = await gunicorn({ files: { ...files, ...conf }, bind: [] });
  const port = Number(/127\.0\.0\.2:(\d+)/.exec(server.log)?.[1]);
  await Bun.write(`${server.folder}/gunicorn.conf.ts`, config("127.0.0.3"));
  const left = () => server.kill("SIGHUP");
  expect(await served({ hostname: "127.0.0.2", port }, left, 900)).toEqual(all200);
});
