import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  type Abuser,
  allCut,
  calmServer,
  crowd,
  endure,
  FigureTable,
  logCount,
  outcomes,
} from "../support/abuse.ts";
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { get, requestText } from "../support/wire.ts";

setDefaultTimeout(120_000);
const table = new FigureTable();
afterAll(() => table.print("a client that is slow"));

const debug = ["--log-level", "debug"];

/** A timeout of one second: cut after it, and soon after it. */
const earliestMs = 950;
const latestMs = 4000;

function expectCutInTime(abusers: readonly Abuser[]): void {
  for (const { cutMs, cutMachineMs } of abusers) {
    expect(cutMs).toBeGreaterThan(earliestMs);
    expect(cutMachineMs).toBeLessThan(latestMs);
  }
}

/** Gives each a byte of a text, every 50 ms, for as long as any of them is open. */
async function drip(abusers: readonly Abuser[], text: string): Promise<void> {
  let at = 0;
  const timer = setInterval(() => {
    for (const abuser of abusers) if (abuser.cutMs === null) abuser.send(text.charAt(at));
    at = (at + 1) % text.length;
  }, 50);
  await allCut(abusers).finally(() => clearInterval(timer));
}

test.each([
  ["heads", "GET / HTTP/1.1\r\nHost: test\r\nX-Slow: "],
  ["request lines", "GET /"],
])("500 %s that come a byte at a time are cut by header_timeout", async (what, start) => {
  await using server = await calmServer("--header-timeout", "1", ...debug);
  await endure({ server, abuse: `500 slow ${what}`, table, served: 20 }, async () => {
    const abusers = await crowd(server.port, 500, (abuser) => abuser.send(start));
    await drip(abusers, "slow");
    expect(outcomes(abusers)).toEqual({ 408: 500 });
    expectCutInTime(abusers);
    return abusers;
  });
  expect(logCount(server, "Request head took longer than header_timeout")).toBe(500);
});

test("500 clients that say nothing are cut by header_timeout", async () => {
  await using server = await calmServer("--header-timeout", "1", "--keep-alive", "30", ...debug);
  await endure({ server, abuse: "500 silent clients", table, served: 20 }, async () => {
    const abusers = await crowd(server.port, 500);
    await allCut(abusers);
    expect(outcomes(abusers)).toEqual({ fin: 500 });
    expectCutInTime(abusers);
    return abusers;
  });
  expect(logCount(server, "Closing ip=127.0.0.1: header_timeout")).toBe(500);
});

/** The words of the refusal, which also stand in the line about the app's failed read. */
const stoodStill = "Invalid request from ip=127.0.0.1: Request body stood still";

const lengths = ["Content-Length: 1000000"];
const hugeLength = ["Content-Length: 9007199254740991"];
const chunks = ["Transfer-Encoding: chunked"];

/** With Content-Length, read at once and as a stream; a huge one, of which nothing is sent; in a chunk, and in its size. */
const read = [
  `${requestText("POST", "/text", lengths)}start`,
  `${requestText("POST", "/chunks", lengths)}start`,
  requestText("POST", "/text", hugeLength),
  `${requestText("POST", "/text", chunks)}1000\r\nstart`,
  `${requestText("POST", "/chunks", chunks)}5\r\nstart\r\n10`,
];

/** Cut behind its answer. */
const ignored = [`${requestText("POST", "/", ["Content-Length: 1000"])}start`];

test.each([
  ["bodies", 408, read],
  ["bodies that nobody reads", 200, ignored],
] as const)(
  "500 %s that stand still are cut by body_timeout, with %d",
  async (what, status, texts) => {
    await using server = await calmServer("--body-timeout", "1", ...debug);
    await endure({ server, abuse: `500 ${what} standing still`, table, served: 20 }, async () => {
      const abusers = await crowd(server.port, 500, (abuser, number) => {
        abuser.send(texts[number % texts.length] ?? "");
      });
      await allCut(abusers);
      expect(outcomes(abusers)).toEqual({ [status]: 500 });
      expectCutInTime(abusers);
      return abusers;
    });
    expect(logCount(server, stoodStill)).toBe(500);
  },
);

test("100 bodies that move slowly live, for longer than body_timeout", async () => {
  // Six pieces in the time that may pass without any: this process may be kept waiting, too.
  await using server = await calmServer("--body-timeout", "4", ...debug);
  await endure({ server, abuse: "100 slow bodies that move", table, served: 20 }, async () => {
    const path = (number: number) => (number % 2 === 0 ? "/text" : "/chunks");
    const abusers = await crowd(server.port, 100, (abuser, number) => {
      abuser.send(requestText("POST", path(number), ["Content-Length: 9", "Connection: close"]));
    });
    let sent = 0;
    const timer = setInterval(() => {
      if (sent === 9) return;
      sent += 1;
      for (const abuser of abusers) abuser.send("x");
    }, 600);
    await allCut(abusers).finally(() => clearInterval(timer));
    expect(outcomes(abusers)).toEqual({ 200: 100 });
    expect(abusers.every(({ received }) => received.endsWith("\r\n\r\n9"))).toBe(true);
    for (const { cutMs } of abusers) expect(cutMs).toBeGreaterThan(4000);
    return [];
  });
  expect(server.log).not.toContain("body_timeout");
});

const unread: [path: string, count: number, highestMb: number][] = [
  // What the kernel's buffers took is garbage until the next collection.
  ["/blob", 4, 192],
  // What a client hasn't taken of its last megabyte is copied: the app may use its memory again.
  ["/stream", 20, 64],
  ["/file", 20, 64],
  // The app makes each of these whole: 50 MB in memory until the client is cut and garbage is collected.
  ["/bytes", 4, 8 * 48],
];

test.each(unread)("50 MB of %s that nobody reads, %d times", async (path, count, highestMb) => {
  await using server = await calmServer("--write-timeout", "1", ...debug);
  // The app's own copy is made.
  expect((await (await fetch(server.url + path)).bytes()).length).toBe(50_000_000);
  const abuse = `${count} times 50 MB of ${path}, unread`;
  const collect = path === "/bytes";
  await endure({ server, abuse, table, served: 20, highestMb, collect }, async () => {
    const abusers = await crowd(server.port, count, (abuser) => {
      abuser.pause();
      abuser.send(get(path));
    });
    await allCut(abusers);
    expect(abusers.every(({ ending }) => ending === "reset")).toBe(true);
    expectCutInTime(abusers);
    return abusers;
  });
  expect(logCount(server, "Closing ip=127.0.0.1: write_timeout")).toBe(count);
});

test("a client that reads slowly gets all of its 50 MB, in more time than write_timeout", async () => {
  await using server = await calmServer("--write-timeout", "3");
  using client = await RawClient.connect(server.port);
  client.send(get("/stream", "Connection: close"));
  client.pause();
  const start = performance.now();
  const timer = setInterval(() => {
    client.resume();
    setTimeout(() => client.pause(), 5);
  }, 100);
  await until("more time than write_timeout", () => performance.now() - start > 5000);
  clearInterval(timer);
  client.resume();
  const answer = await client.answer();
  expect([answer.complete, answer.body.length]).toEqual([true, 50_000_000]);
});
