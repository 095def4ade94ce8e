/** What is timed without sockets: our parser and serialiser, and what the platform would make of the same. */
import { limitsFrom } from "../../src/http/limits.ts";
import { RequestParser } from "../../src/http/syntax/parser.ts";
import { createRequest } from "../../src/http/request/request.ts";
import { NativeResponse } from "../../src/http/response/globals/body.ts";
import { installResponse } from "../../src/http/response/globals/install.ts";
import { OutputBuffer } from "../../src/http/response/output.ts";
import { encodeFixed, prepareResponse } from "../../src/http/response/response.ts";
import { fieldPairs, head, url } from "./browser-head.ts";

export interface EngineRow {
  readonly name: string;
  readonly whose: "ours" | "native";
  /** Requests or responses in one run. */
  readonly count: number;
  run(): unknown;
}

const pipelined = Buffer.concat(Array.from({ length: 16 }, () => head));

const limits = { limitRequestLine: 4094, limitRequestFields: 100, limitRequestFieldSize: 8190 };

/** Each takes all that is offered. */
const sink = { write: (data: string | Uint8Array) => data.length };

const body = "Hello, World!\n";
const context = {
  head: false,
  versionMinor: 1,
  keepAlive: true,
  date: "Fri, 20 Nov 2026 19:00:00 GMT",
  request: null,
};

function expectHead(step: string): void {
  if (step !== "head") throw new Error(`the parser said ${step}`);
}

/** Replaces the global Response by the one that workers have. */
export function engineRows(): readonly EngineRow[] {
  installResponse();
  return [...parserRows(), ...requestRows(), ...responseRows()];
}

function parserRows(): EngineRow[] {
  const parser = new RequestParser(limitsFrom(limits));
  const parseWhole = () => expectHead(parser.feed(head, 0, head.length));
  return [
    row("parse: one head", () => {
      parseWhole();
      parser.reset();
    }),
    row("parse: one head, and its text", () => {
      parseWhole();
      if (parser.head.text.length === 0) throw new Error("no text");
      parser.reset();
    }),
    row("parse: one head, kept", () => {
      parseWhole();
      const kept = parser.takeHead();
      parser.reset();
      return kept;
    }),
    row(
      "parse: 16 heads in one segment",
      () => {
        for (let at = 0; at < pipelined.length; at = parser.consumed) {
          expectHead(parser.feed(pipelined, at, pipelined.length));
          parser.reset();
        }
      },
      pipelined.length / head.length,
    ),
    row("parse: one head, byte by byte", () => {
      for (let at = 0; at < head.length - 1; at++) parser.feed(head, at, at + 1);
      expectHead(parser.feed(head, head.length - 1, head.length));
      parser.reset();
    }),
  ];
}

function requestRows(): EngineRow[] {
  const parser = new RequestParser(limitsFrom(limits));
  const parse = () => {
    expectHead(parser.feed(head, 0, head.length));
    const kept = parser.takeHead();
    parser.reset();
    return createRequest(kept, "http", "", null);
  };
  return [
    row("request: parsed, untouched", parse),
    row("request: parsed, url and a header read", () => {
      const request = parse();
      return request.url.length + (request.headers.get("accept-language") ?? "").length;
    }),
    native("new Request(url)", () => new Request(url)),
    native("new Headers(10 pairs)", () => new Headers(fieldPairs)),
    native("new Request(url, 10 headers)", () => new Request(url, { headers: fieldPairs })),
  ];
}

function responseRows(): EngineRow[] {
  const output = new OutputBuffer();
  const send = (response: Response) => {
    const prepared = prepareResponse(response, context);
    if (prepared.type !== "fixed") throw new Error(`a ${prepared.type} response`);
    encodeFixed(prepared, output);
    output.writeTo(sink);
  };
  const headers = { "content-type": "text/html", "cache-control": "no-store" };
  return [
    row("response: a text, made and serialised", () => send(new Response(body))),
    row("response: a text with 2 headers", () => send(new Response(body, { headers }))),
    row("response: json", () => send(Response.json({ message: body }))),
    native("new Response(text)", () => new NativeResponse(body)),
    native("new Response(text, 2 headers)", () => new NativeResponse(body, { headers })),
  ];
}

function row(name: string, run: () => unknown, count = 1): EngineRow {
  return { name, whose: "ours", count, run };
}

function native(name: string, run: () => unknown): EngineRow {
  return { name, whose: "native", count: 1, run };
}
