/** What a load generator is: something that sends a traffic to a URL for some seconds and counts. */
import { BenchError } from "../errors.ts";

/** What a load generator is to send. */
export interface Traffic {
  readonly method: "GET" | "POST";
  /** Of each request; 0 for none. */
  readonly bodyBytes: number;
  /** What the body is: octets, an object with one long text, or a form with one file. */
  readonly bodyKind: "bytes" | "json" | "multipart";
  /** No two requests are alike: each has a cookie and a traceparent of its own. */
  readonly unique: boolean;
  /** Asked for in turn, or at random. */
  readonly paths: readonly string[];
  /** Requests in one write; 1 is one at a time. */
  readonly pipelineDepth: number;
  /** Header fields of each request: a browser's ten, fewer of them, or more. */
  readonly fields: number;
  /** A connection for each request, instead of kept ones. */
  readonly newConnections: boolean;
  readonly connections: number;
}

const errorKinds = ["connect", "read", "write", "timeout", "status", "other"] as const;

/** Requests that failed, and answers with a status above 399, by kind. */
export type ErrorCounts = Readonly<Record<(typeof errorKinds)[number], number>>;

/** What one run of a load generator has shown. */
export interface Turn {
  /** Answered ones. */
  readonly requests: number;
  readonly durationUs: number;
  /** Of the latencies; 0 when the generator can't tell. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly errors: ErrorCounts;
  /** The share of its own CPUs that the generator needed; near 1 it is the bottleneck. */
  readonly driverBusy: number;
  /** CPU time of the generator, its start and its report included. */
  readonly generatorCpuUs: number;
}

/** What the generator itself has printed. */
export type Report = Omit<Turn, "driverBusy" | "generatorCpuUs">;

export interface Driver {
  readonly name: string;
  /** Its version; throws BenchError, with the line that installs it, when it isn't there. */
  detect(): string;
  /** Why it can't send such a traffic, in a sentence; null when it can. */
  refuses(traffic: Traffic): string | null;
  run(url: string, traffic: Traffic, seconds: number): Promise<Turn>;
}

/** From so much of its own CPUs on, the generator rather than the server bounds the throughput. */
export const saturated = 0.95;

/** What a browser sends. */
const usualFields = 10;

/** One request at a time on each of 64 kept connections. */
export const plainTraffic: Traffic = {
  method: "GET",
  bodyBytes: 0,
  bodyKind: "bytes",
  unique: false,
  paths: ["/"],
  pipelineDepth: 1,
  fields: usualFields,
  newConnections: false,
  connections: 64,
};

export const noErrors: ErrorCounts = {
  connect: 0,
  read: 0,
  write: 0,
  timeout: 0,
  status: 0,
  other: 0,
};

export function countErrors(errors: ErrorCounts): number {
  return errorKinds.reduce((sum, kind) => sum + errors[kind], 0);
}

export function addErrors(all: readonly ErrorCounts[]): ErrorCounts {
  const sums: Record<keyof ErrorCounts, number> = { ...noErrors };
  for (const errors of all) for (const kind of errorKinds) sums[kind] += errors[kind];
  return sums;
}

/** Answers with a status below 400. */
export function goodAnswers({ requests, errors }: Pick<Turn, "requests" | "errors">): number {
  return Math.max(0, requests - errors.status);
}

/** Of all that was asked for; 1 when nothing was answered. */
export function failedShare(turns: readonly Pick<Turn, "requests" | "errors">[]): number {
  const errors = addErrors(turns.map((turn) => turn.errors));
  const failed = countErrors(errors);
  const answered = turns.reduce((sum, { requests }) => sum + requests, 0);
  // Answers with a bad status are among the requests already.
  const asked = answered + failed - errors.status;
  return asked === 0 ? 1 : failed / asked;
}

/** `3 (connect 1, status 2)`, or `0`. */
export function showErrors(errors: ErrorCounts): string {
  const kinds = errorKinds.filter((kind) => errors[kind] > 0);
  if (kinds.length === 0) return "0";
  return `${countErrors(errors)} (${kinds.map((kind) => `${kind} ${errors[kind]}`).join(", ")})`;
}

/** A browser's ten request header fields, 560 bytes of head; Host first, and what is beyond ten has 32 letters each. */
export function requestFields({ newConnections, fields }: Traffic): readonly string[] {
  const usual = [
    "Host: www.example.com:8000",
    `Connection: ${newConnections ? "close" : "keep-alive"}`,
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    "Referer: http://www.example.com:8000/articles/2026/index.html",
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
    "Upgrade-Insecure-Requests: 1",
    "Cache-Control: max-age=0",
  ];
  const more = Array.from(
    { length: Math.max(0, fields - usual.length) },
    (_, index) => `X-Field-${index}: ${"abcdefgh".repeat(4)}`,
  );
  return [...usual, ...more].slice(0, fields);
}

/** The refusal of an output that is cut short or isn't what the generator writes. */
export function unreadable(name: string, output: string): BenchError {
  const shown = output.trim().slice(0, 2000);
  return new BenchError(`${name}'s output can't be read:\n${shown || "(nothing)"}`);
}
