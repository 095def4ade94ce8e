import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  Abuser,
  allCut,
  calmServer,
  crowd,
  endure,
  FigureTable,
  inTurns,
  logCount,
  outcomes,
  type Pour,
} from "../support/abuse.ts";
import { until } from "../support/server.ts";
import { get, requestText } from "../support/wire.ts";

setDefaultTimeout(120_000);
const table = new FigureTable();
afterAll(() => table.print("a client that asks for too much"));

const debug = ["--log-level", "debug"];

test.each(["/", "/async"])(
  "1,000 pipelined requests for %s in one segment, from 100 clients",
  async (path) => {
    await using server = await calmServer();
    const abuse = `100 times 1,000 pipelined for ${path}`;
    await endure({ server, abuse, table, served: 5 }, async () => {
      const text = get(path).repeat(1000);
      const abusers = await crowd(server.port, 100, (abuser) => abuser.send(text));
      await until("100,000 answers", () => abusers.every(({ answers }) => answers === 1000));
      for (const abuser of abusers) abuser.close();
      return [];
    });
  },
);

/** A start, and then the same as often as the server takes it. */
function endless(start: string, text: string): Pour {
  const bytes = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  let first = true;
  return () => {
    if (!first) return bytes;
    first = false;
    return Buffer.concat([Buffer.from(start), bytes]);
  };
}

test.each(["/16k", "/async", "/stream"])(
  "requests for %s without end, and no answer is read",
  async (path) => {
    await using server = await calmServer("--write-timeout", "1", ...debug);
    const abuse = `4 times endless requests for ${path}`;
    await endure({ server, abuse, table, served: 20 }, async () => {
      const abusers: Abuser[] = [];
      await inTurns(4, async () => {
        const abuser = await Abuser.connect(server.port, endless("", get(path)));
        abuser.pause();
        abusers.push(abuser);
      });
      await allCut(abusers);
      expect(abusers.every(({ ending }) => ending === "reset")).toBe(true);
      // The server has stopped reading: what it took is bounded by the kernel's buffers.
      for (const { sentBytes } of abusers) expect(sentBytes).toBeLessThan(50_000_000);
      return abusers;
    });
    expect(logCount(server, "Closing ip=127.0.0.1: write_timeout")).toBe(4);
  },
);

const chunkedHead = requestText("POST", "/chunks", ["Transfer-Encoding: chunked"]);

interface Endless {
  readonly start: string;
  readonly piece: string;
  readonly status: number;
  readonly logged: string;
}

const heads: readonly Endless[] = [
  { start: "GET /", piece: "x", status: 414, logged: "Request line is over limit_request_line" },
  {
    start: "GET / HTTP/1.1\r\nX-Long: ",
    piece: "x",
    status: 431,
    logged: "Header field is over limit_request_field_size",
  },
  {
    start: "GET / HTTP/1.1\r\nHost: test\r\n",
    piece: "X-Field: value\r\n",
    status: 431,
    logged: "More header fields than limit_request_fields",
  },
  { start: "\r\n", piece: "\r\n", status: 400, logged: "Invalid HTTP request line" },
];

const bodies: readonly Endless[] = [
  // An extension.
  {
    start: `${chunkedHead}5;x=`,
    piece: "x",
    status: 400,
    logged: "Chunk size line is too long",
  },
  {
    start: chunkedHead,
    piece: `1;${"x".repeat(500)}\r\nx\r\n`,
    status: 400,
    logged: "Chunk extensions outweigh the data",
  },
  { start: `${chunkedHead}x`, piece: "x", status: 400, logged: "Invalid chunk size" },
  {
    start: `${chunkedHead}5\r\nstart\r\n0\r\n`,
    piece: `X-Trailer: ${"x".repeat(500)}\r\n`,
    status: 431,
    logged: "Trailer section is too large",
  },
  {
    start: `${chunkedHead}0\r\nX-Trailer: `,
    piece: "x",
    status: 431,
    logged: "Header field is over limit_request_field_size",
  },
  {
    start: `${chunkedHead}0\r\n`,
    piece: "X-Trailer: value\r\n",
    status: 431,
    logged: "More header fields than limit_request_fields",
  },
];

const tables: [string, readonly Endless[]][] = [
  ["heads", heads],
  ["extensions and trailers", bodies],
];

/** Of bytes that arrive at full speed, all are garbage until the next collection. */
const highestMb = 256;

test.each(tables)("%s without end, from 100 clients each", async (name, rows) => {
  await using server = await calmServer();
  const total = rows.length * 100;
  const abuse = `${total} times ${name} without end`;
  await endure({ server, abuse, table, served: 20, highestMb }, async () => {
    const groups = rows.map((): Abuser[] => []);
    await inTurns(total, async (number) => {
      const { start, piece } = rows[number % rows.length] as Endless;
      const abuser = await Abuser.connect(server.port, endless(start, piece));
      await allCut([abuser]);
      groups[number % rows.length]?.push(abuser);
    });
    expect(groups.map(outcomes)).toEqual(rows.map(({ status }) => ({ [status]: 100 })));
    return groups.flat();
  });
  for (const { logged } of rows) {
    expect([logged, logCount(server, `ip=127.0.0.1: ${logged}`)]).toEqual([logged, 100]);
  }
});
