/** Seeded randomness for fuzz tests: mutated request texts (one character a byte), made-up chunked bodies, split points. */

export type Random = () => number;

/** mulberry32. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An integer from 0 to below - 1. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)]!;
}

/** Changes a text in one to four places; `others` lend what is spliced in. */
export function mutate(random: Random, text: string, others: readonly string[]): string {
  let mutated = text;
  for (let count = 1 + below(random, 4); count > 0; count--)
    mutated = pick(random, mutators)(mutated, random, others);
  return mutated;
}

type Mutator = (text: string, random: Random, others: readonly string[]) => string;

/** What a parser's states turn on. */
const marks = [
  ...'\r\n\t :,;=_%#/?*@[]0aZ-."\x00\x16\x7f\x80\xa0\xff',
  "\r\n",
  "\r\n\r\n",
  "\r\n ",
];

const numbers =
  "0 00 1 2 5 9 10 18 ff FF 0x5 +1 -1 1e3 1_0 65535 65536 9007199254740991 9007199254740992 1fffffffffffff 20000000000000 10000000000000000 ffffffffffffffffffff".split(
    " ",
  );

const lines = [
  "Host: a",
  "Host: b:81",
  "Host:",
  "Host: [::1]:80",
  "Content-Length: 0",
  "Content-Length: 5",
  "Content-Length: 5, 5",
  "content-length:5",
  "Content_Length: 5",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, gzip",
  "Transfer-Encoding:\tchunked ",
  "Transfer-Encoding: ,chunked",
  "transfer-encoding: x",
  "Transfer_Encoding: chunked",
  "Connection: close",
  "Connection: keep-alive, Upgrade",
  "Expect: 100-continue",
  "Expect: more",
  "Upgrade: websocket",
  "Content-Type: text/plain",
  "Script_Name: /x",
  "X: \ty \t",
  "X:",
  " folded",
  ": nameless",
  "X : y",
  "Trailer: X",
  "A\x80: b",
];

const targets = [
  "/",
  "/a?b=c",
  "*",
  "a:80",
  "a:0",
  "[::1]:443",
  "http://a",
  "http://a/b?c",
  "http://u@a/",
  "x+y://[::ffff:1.2.3.4]:8/",
  "//",
  "/%",
  "/\xe9",
  "/#",
  "",
];

const methods = [
  "GET",
  "HEAD",
  "POST",
  "CONNECT",
  "OPTIONS",
  "PRI",
  "get",
  "connect",
  "M-SEARCH",
  "A",
];

const versions = [
  "HTTP/1.0",
  "HTTP/1.1",
  "HTTP/1.9",
  "HTTP/2.0",
  "HTTP/0.9",
  "http/1.1",
  "HTTP/1.10",
];

const mutators: readonly Mutator[] = [
  // Bytes.
  (text, random) => replace(text, below(random, text.length), 1, anyByte(random)),
  (text, random) => replace(text, below(random, text.length), 1, pick(random, marks)),
  (text, random) => replace(text, below(random, text.length + 1), 0, pick(random, marks)),
  (text, random) => replace(text, below(random, text.length), 1 + below(random, 4), ""),
  (text, random) => {
    const at = below(random, text.length);
    return replace(text, at, 0, text.slice(at, at + 1 + below(random, 12)));
  },
  (text, random) => replaceMatch(text, random, /[a-z]+/gi, swapCase),
  (text, random) => text.slice(0, below(random, text.length + 1)),
  // Line ends.
  (text, random) =>
    replaceMatch(text, random, /\r\n/g, () =>
      pick(random, ["\n", "\r", "\r\r\n", "\r\n\r\n", "\r\n ", "\r\n\t\r\n", "", "\n\r", "\r\n\0"]),
    ),
  (text, random) =>
    replaceMatch(text, random, /[ \t]/g, () => pick(random, ["", "  ", "\t", "\r"])),
  // Tokens.
  (text, random) => replaceMatch(text, random, /[0-9a-fA-F]*\d+/g, () => pick(random, numbers)),
  (text, random) => replaceMatch(text, random, /^\S+/g, () => pick(random, methods)),
  (text, random) => replaceMatch(text, random, /(?<= )\S+(?= HTTP)/g, () => pick(random, targets)),
  (text, random) => replaceMatch(text, random, /HTTP\/\d\.\d/g, () => pick(random, versions)),
  (text, random) =>
    replaceMatch(text, random, /(?<=\r\n)(?=\S)/g, () => `${pick(random, lines)}\r\n`),
  (text, random) => replaceMatch(text, random, /(?<=\r\n)[^\r\n]+/g, () => pick(random, lines)),
  (text, random) => replaceMatch(text, random, /(?<=\r\n)[^\r\n]*\r\n/g, () => ""),
  (text, random) => replaceMatch(text, random, /(?<=\r\n)[^\r\n]*\r\n/g, (line) => line + line),
  swapNames,
  // Two texts.
  (text, random, others) => {
    const other = pick(random, others);
    return text.slice(0, below(random, text.length + 1)) + other.slice(below(random, other.length));
  },
  (text, random, others) => {
    const from = matchesOf(text, /\r\n/g);
    const other = pick(random, others);
    const to = matchesOf(other, /\r\n/g);
    if (from.length === 0 || to.length === 0) return text + other;
    return text.slice(0, pick(random, from).index) + other.slice(pick(random, to).index);
  },
];

function anyByte(random: Random): string {
  return String.fromCharCode(below(random, 256));
}

function replace(text: string, at: number, length: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + length);
}

function matchesOf(text: string, pattern: RegExp): RegExpExecArray[] {
  return [...text.matchAll(pattern)];
}

/** Replaces one of the matches. */
function replaceMatch(
  text: string,
  random: Random,
  pattern: RegExp,
  by: (match: string) => string,
): string {
  const matches = matchesOf(text, pattern);
  if (matches.length === 0) return text;
  const { index, 0: match } = pick(random, matches);
  return replace(text, index, match.length, by(match));
}

function swapCase(word: string): string {
  const upper = word.toUpperCase();
  return word === upper ? word.toLowerCase() : upper;
}

function swapNames(text: string, random: Random): string {
  const names = matchesOf(text, /(?<=\r\n)[^\s:]+(?=:)/g);
  if (names.length < 2) return text;
  const first = below(random, names.length - 1);
  const [left, right] = [names[first]!, names[first + 1]!];
  const between = text.slice(left.index + left[0].length, right.index);
  return replace(
    text,
    left.index,
    right.index + right[0].length - left.index,
    right[0] + between + left[0],
  );
}

const extensions = [
  "",
  "",
  "",
  ";a",
  ";a=b",
  ' ; a = "q;,"',
  "\t;\x80",
  ";;",
  ";a\rb",
  ";\0",
  " ",
  ";",
];

const trailers = [
  "",
  "",
  "",
  "X: y\r\n",
  "X-A: 1\r\nX-B: 2\r\n",
  "X_Y: 1\r\n",
  "Host: a\r\n",
  " X: y\r\n",
];

const chunkedHead = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/** A request with a chunked body; most are valid. */
export function chunkedRequest(random: Random): string {
  if (random() < 0.01) return heavyRequest(random);
  let text = chunkedHead;
  for (let count = below(random, 6); count > 0; count--) {
    const data = Array.from({ length: 1 + below(random, 40) }, () => dataByte(random)).join("");
    text += `${sizeOf(data.length, random)}${extension(random)}\r\n${data}\r\n`;
  }
  return `${text}${sizeOf(0, random)}${extension(random)}\r\n${pick(random, trailers)}\r\n`;
}

function dataByte(random: Random): string {
  return random() < 0.3 ? pick(random, ["\r", "\n", "0", ";"]) : anyByte(random);
}

function sizeOf(length: number, random: Random): string {
  const size = length.toString(16);
  switch (below(random, 12)) {
    case 0:
      return size.toUpperCase();
    case 1:
      return "0".repeat(1 + below(random, 30)) + size;
    case 2:
      return (length + 1).toString(16);
    default:
      return size;
  }
}

/** Extensions of about as many bytes as they may run ahead of the data, or about as many bytes of trailers as there may be. */
function heavyRequest(random: Random): string {
  if (random() < 0.5) {
    const fields = Array.from(
      { length: 17 },
      () => `X: ${"x".repeat(945 + below(random, 30))}\r\n`,
    );
    return `${chunkedHead}0\r\n${fields.join("")}\r\n`;
  }
  let text = chunkedHead;
  for (let count = 17 + below(random, 5); count > 0; count--) {
    const data = "d".repeat(1 + below(random, 240));
    text += `${data.length.toString(16)};${"x".repeat(1000)}\r\n${data}\r\n`;
  }
  return `${text}0\r\n\r\n`;
}

/** Mostly short ones; now and then one near the limit of a line. */
function extension(random: Random): string {
  if (random() < 0.02) return `;${"x".repeat(1015 + below(random, 12))}`;
  return pick(random, extensions);
}

/** Where to cut a text of this length: nowhere, at a few places, near line ends, or everywhere. */
export function splitPoints(random: Random, text: string): number[] {
  const { length } = text;
  if (length < 2) return [];
  const kind = random();
  if (kind < 0.1 && length < 400) return Array.from({ length: length - 1 }, (_, at) => at + 1);
  const ends = kind < 0.5 ? matchesOf(text, /[\r\n]/g) : [];
  const cuts = new Set<number>();
  for (let count = 1 + below(random, 8); count > 0; count--) {
    const near = ends.length > 0 && random() < 0.7;
    const at = near ? pick(random, ends).index + below(random, 3) : below(random, length);
    if (at > 0 && at < length) cuts.add(at);
  }
  return [...cuts].sort((left, right) => left - right);
}
