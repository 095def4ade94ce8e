/** Reads test/corpus/*.md, and runs request bytes through the engine's parts as a connection would. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ChunkedDecoder } from "../../src/http/syntax/chunked.ts";
import { errors, type ParseErrorName } from "../../src/http/errors.ts";
import { frame, type Framing } from "../../src/http/message/framing.ts";
import type { Head } from "../../src/http/syntax/head.ts";
import { isPersistent } from "../../src/http/message/keep-alive.ts";
import { limitsFrom, type Limits } from "../../src/http/limits.ts";
import { RequestParser, type ParserOptions } from "../../src/http/syntax/parser.ts";
import { judgeExpectation, type HeaderMap } from "../../src/http/message/policy.ts";

const corpusFolder = join(import.meta.dir, "../corpus");

/** One `##` section: why is for the reader, the rest is what must hold. */
export interface Case {
  readonly file: string;
  readonly name: string;
  readonly why: string;
  readonly bytes: Buffer;
  readonly limits: Limits;
  readonly options: ParserOptions;
  readonly trusted: boolean;
  /** "accepted": a whole request and no byte more. "incomplete": more must come. Otherwise the error's name. */
  readonly outcome: "accepted" | "incomplete" | ParseErrorName;
  readonly status: number;
  /** `key: value` lines such as `framing: chunked`, as describe() writes them; a key may be repeated. */
  readonly facts: readonly string[];
}

/** What came of one request: the facts in the corpus's words, and how far it got. */
export interface Seen {
  readonly facts: readonly string[];
  readonly complete: boolean;
  readonly body: string;
}

export interface Outcome {
  readonly requests: readonly Seen[];
  readonly error: ParseErrorName | null;
  /** Where the refused byte stands in the input; -1 without an error. */
  readonly errorAt: number;
  readonly scanned: number;
}

export const defaultLimits = limitsFrom({
  limitRequestLine: 4094,
  limitRequestFields: 100,
  limitRequestFieldSize: 8190,
});

export function readCorpus(folder = corpusFolder): Case[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .sort()
    .flatMap((file) => parseFile(file, readFileSync(join(folder, file), "utf8")));
}

function parseFile(file: string, text: string): Case[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => parseCase(file, section));
}

function parseCase(file: string, section: string): Case {
  const match = /^(.+)\n\n([^]+?)\n\n```text\n([^]*?)\n```\n\n([^]+)$/.exec(section);
  if (match === null) throw new Error(`${file}: not a case: ${section.slice(0, 60)}`);
  const [, name = "", why = "", block = "", list = ""] = match;
  const facts: string[] = [];
  let outcome: Case["outcome"] = "accepted";
  let status = 200;
  let limits = defaultLimits;
  let options: ParserOptions = {};
  let trusted = false;
  for (const line of list.trim().split("\n")) {
    const item = line.replace(/^- /, "");
    const [key = "", value = ""] = splitOnce(item, ": ");
    if (item === "incomplete") outcome = "incomplete";
    else if (key === "limits") limits = parseLimits(value);
    else if (key === "options") [options, trusted] = parseOptions(value);
    else if (key === "refused") {
      const [error = "", code = ""] = value.split(", ");
      if (!(error in errors)) throw new Error(`${file}: ${name}: no such error: ${error}`);
      outcome = error as ParseErrorName;
      status = Number(code);
    } else facts.push(`${key}: ${unquote(value)}`);
  }
  const bytes = Buffer.from(unescape(block.replaceAll("\n", "")), "latin1");
  return { file, name, why, bytes, limits, options, trusted, outcome, status, facts };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

function unquote(value: string): string {
  return value.startsWith("`") ? unescape(value.slice(1, -1)) : value;
}

/** `\r`, `\n`, `\t`, `\\`, `\xHH`, and `\{text*3}` for text three times, inner ones first. */
function unescape(text: string): string {
  const repeat = /\\\{((?:(?!\\\{).)+?)\*(\d+)\}/g;
  let flat = text;
  while (repeat.test(flat))
    flat = flat.replace(repeat, (_, inner: string, count: string) => inner.repeat(Number(count)));
  return flat.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, mark: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    return { r: "\r", n: "\n", t: "\t", "\\": "\\" }[mark] ?? mark;
  });
}

function parseLimits(text: string): Limits {
  const [line = "", fields = "", size = ""] = text.split(", ").map((part) => part.split(" ")[1]!);
  return {
    requestLine: line === "unlimited" ? Infinity : Number(line),
    fields: Number(fields),
    fieldSize: size === "unlimited" ? Infinity : Number(size),
  };
}

function parseOptions(text: string): [ParserOptions, boolean] {
  const words = text.split(" ").map((item) => splitOnce(item, "="));
  const has = (word: string) => words.some(([key]) => key === word);
  const value = (word: string) => words.find(([key]) => key === word)?.[1];
  const options = {
    permitUnconventionalMethod: has("permitUnconventionalMethod"),
    permitUnconventionalVersion: has("permitUnconventionalVersion"),
    casefoldMethod: has("casefoldMethod"),
    stripHeaderSpaces: has("stripHeaderSpaces"),
    permitObsoleteFolding: has("permitObsoleteFolding"),
    headerMap: (value("headerMap") ?? "drop") as HeaderMap,
    forwarderHeaders: value("forwarderHeaders")?.split(",") ?? [],
  };
  return [options, has("trusted")];
}

/** Cuts the bytes at the offsets, feeds the pieces one by one, and notes all that comes out. */
export function run(
  bytes: Buffer,
  cuts: readonly number[],
  { limits, options, trusted }: Pick<Case, "limits" | "options" | "trusted"> = {
    limits: defaultLimits,
    options: {},
    trusted: false,
  },
): Outcome {
  const parser = new RequestParser(limits, options);
  parser.trusted = trusted;
  const requests: Seen[] = [];
  let current: Current | null = null;
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    // A copy, so that nothing can look beyond the piece, and wiped, so that nothing can look back.
    const piece = Buffer.from(bytes.subarray(start, end));
    for (let at = 0; at < piece.length;) {
      if (current === null) {
        const step = parser.feed(piece, at, piece.length);
        at = parser.consumed;
        if (step === "need more") break;
        if (step !== "head") {
          // After a refusal nothing more is parsed.
          const again = parser.feed(afterwards, 0, afterwards.length);
          if (again !== step) throw new Error(`${step}, then ${again}`);
          return refused(step, start + at);
        }
        const { head } = parser;
        const framing = frame(head);
        const expectation = judgeExpectation(head.expectation, head.versionMinor);
        if (framing !== "none" && framing !== "length" && framing !== "chunked")
          return refused(framing, start + at);
        if (expectation === "unknown expectation") return refused(expectation, start + at);
        current = begin(head, framing, expectation, limits, options);
        parser.reset();
      } else {
        const step = advance(current, piece, at);
        if (typeof step === "string") return refused(step, start + current.consumed);
        at = step;
      }
      if (current.complete) {
        requests.push(see(current));
        current = null;
      }
    }
    piece.fill(0x2a);
    start = end;
  }
  if (current !== null) requests.push(see(current));
  return { requests, error: null, errorAt: -1, scanned: parser.scanned };

  function refused(error: ParseErrorName, errorAt: number): Outcome {
    return { requests, error, errorAt, scanned: parser.scanned };
  }
}

const afterwards = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

function see({ facts, complete, body }: Current): Seen {
  return { facts, complete, body };
}

interface Current {
  facts: string[];
  complete: boolean;
  framing: Framing;
  left: number;
  decoder: ChunkedDecoder | null;
  body: string;
  consumed: number;
}

function begin(
  head: Head,
  framing: Framing,
  expectation: "none" | "continue",
  limits: Limits,
  options: ParserOptions,
): Current {
  const facts = [
    `head: ${head.method} ${head.target} 1.${head.versionMinor}`,
    `form: ${head.targetForm}`,
    `authority: ${head.authority}`,
    `persistent: ${isPersistent(head.versionMinor, head.connection, false) ? "yes" : "no"}`,
    `expect: ${expectation}`,
    `framing: ${framing === "length" ? `length ${head.contentLength}` : framing}`,
  ];
  for (let index = 0; index < head.fieldCount; index++)
    facts.push(`field: ${head.fieldName(index)}: ${head.fieldValue(index)}`);
  return {
    facts,
    complete: framing === "none",
    framing,
    left: framing === "length" ? head.contentLength : 0,
    decoder: framing === "chunked" ? new ChunkedDecoder(limits, options) : null,
    body: "",
    consumed: 0,
  };
}

/** Takes body bytes from `at`; returns where it stopped, or an error. */
function advance(current: Current, piece: Buffer, at: number): number | ParseErrorName {
  const { decoder } = current;
  if (decoder === null) {
    const end = Math.min(piece.length, at + current.left);
    current.body += piece.toString("latin1", at, end);
    current.left -= end - at;
    if (current.left === 0) finish(current);
    return end;
  }
  const step = decoder.feed(piece, at, piece.length);
  current.consumed = decoder.consumed;
  if (step === "data") current.body += piece.toString("latin1", decoder.dataStart, decoder.dataEnd);
  else if (step === "end") {
    const trailers = decoder.trailers?.head;
    const count = trailers?.fieldCount ?? 0;
    for (let index = 0; index < count; index++)
      current.facts.push(`trailer: ${trailers?.fieldName(index)}: ${trailers?.fieldValue(index)}`);
    finish(current);
  } else if (step !== "need more") return step;
  return decoder.consumed;
}

function finish(current: Current): void {
  current.complete = true;
  current.facts.push(`body: ${current.body}`);
}
