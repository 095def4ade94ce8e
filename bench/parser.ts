/** `bun run bench parser`: what one head costs in the parser alone, in nanoseconds, the best of several rounds. */
import { defineCommand } from "citty";
import { limitsFrom } from "../src/http/limits.ts";
import { RequestParser } from "../src/http/parser.ts";

/** A browser's ten fields. */
const head = Buffer.from(
  [
    "GET /path/to/page?x=1&y=2 HTTP/1.1",
    "Host: www.example.com",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Connection: keep-alive",
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Cache-Control: max-age=0",
    "",
    "",
  ].join("\r\n"),
);

const pipelined = Buffer.concat(Array.from({ length: 16 }, () => head));
const parser = new RequestParser(
  limitsFrom({ limitRequestLine: 4094, limitRequestFields: 100, limitRequestFieldSize: 8190 }),
);

interface Row {
  readonly name: string;
  /** Heads in one run of `parse`. */
  readonly heads: number;
  parse(): void;
}

function parseWhole(): void {
  expectHead(parser.feed(head, 0, head.length));
}

function expectHead(step: string): void {
  if (step !== "head") throw new Error(`the parser said ${step}`);
}

const rows: readonly Row[] = [
  {
    name: "one head",
    heads: 1,
    parse() {
      parseWhole();
      parser.reset();
    },
  },
  {
    name: "one head, and its text",
    heads: 1,
    parse() {
      parseWhole();
      if (parser.head.text.length === 0) throw new Error("no text");
      parser.reset();
    },
  },
  {
    name: "one head, kept",
    heads: 1,
    parse() {
      parseWhole();
      parser.takeHead();
      parser.reset();
    },
  },
  {
    name: "16 heads in one segment",
    heads: 16,
    parse() {
      for (let at = 0; at < pipelined.length; at = parser.consumed) {
        expectHead(parser.feed(pipelined, at, pipelined.length));
        parser.reset();
      }
    },
  },
  {
    name: "one head, byte by byte",
    heads: 1,
    parse() {
      for (let at = 0; at < head.length - 1; at++) parser.feed(head, at, at + 1);
      expectHead(parser.feed(head, head.length - 1, head.length));
      parser.reset();
    },
  },
];

const rounds = 10;

function bestNs({ heads, parse }: Row, runs: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const begun = Bun.nanoseconds();
    for (let run = 0; run < runs; run++) parse();
    best = Math.min(best, (Bun.nanoseconds() - begun) / runs / heads);
  }
  return best;
}

export const parserBench = defineCommand({
  meta: { name: "parser", description: "The parser alone: nanoseconds for a head of ten fields" },
  args: { smoke: { type: "boolean", description: "A short run that proves nothing" } },
  run({ args }) {
    console.log(`${head.length} bytes`);
    for (const row of rows) {
      const runs = args.smoke === true ? 10 : 20_000;
      console.log(`${row.name.padEnd(26)} ${bestNs(row, runs).toFixed(0).padStart(7)} ns`);
    }
  },
});
