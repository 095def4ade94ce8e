/** A server shared by the rows of a wire test: one for each worker kind, and proof at the end that no worker died. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Answer, RawClient } from "./raw-client.ts";
import { gunicorn, type RunningServer } from "./server.ts";

export type Kind = "async" | "serve";
export const kinds: readonly Kind[] = ["async", "serve"];

export type Transport = "TCP" | "TLS";
export const transports: readonly Transport[] = ["TCP", "TLS"];

/** For describe.each: what a client sees over one transport, it sees over the other. */
export const columns = kinds.flatMap((kind) =>
  transports.map((transport): [Kind, Transport] => [kind, transport]),
);

/** What each row of a table has; `notServe` says why Bun.serve can't be held to the row. */
export interface WireRow {
  readonly claim: string;
  readonly notServe?: string;
}

/** The rows that apply to a kind, in the form of test.each. */
export function rowsFor<Row extends WireRow>(kind: Kind, rows: readonly Row[]): [string, Row][] {
  const applying = rows.filter((row) => kind === "async" || row.notServe === undefined);
  return applying.map((row) => [row.claim, row]);
}

/** A machine under load may leave a worker without a turn for longer than the default allows; no test here waits for so long. */
const patient = ["--timeout", "300"];

/** The same of a connection that is idle. Bun.serve has no such setting. */
const patientClasses: Readonly<Record<Kind, readonly string[]>> = {
  async: [...patient, "--keep-alive", "300"],
  serve: patient,
};

export interface WireOptions {
  readonly kind: Kind;
  readonly transport?: Transport;
  /** A file of test/fixtures/wire. */
  readonly app: string;
  /** EXPORT of MODULE:EXPORT. */
  readonly export?: string;
  readonly args?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

export interface Wire {
  readonly server: RunningServer;
  readonly workerPid: number;
  connect(): Promise<RawClient>;
  /** One request on a connection of its own. */
  ask(request: string | Uint8Array, method?: string): Promise<Answer>;
}

/** To be called in a describe block: starts the server before its tests and stops it behind them. */
export function useWire(options: WireOptions): Wire {
  const { kind, transport = "TCP", app, args = [], files = {} } = options;
  // Longer than any wait inside: its message says more than a timeout's.
  setDefaultTimeout(120_000);
  let running: RunningServer | null = null;
  let workers: number[] = [];
  beforeAll(async () => {
    const text = readFileSync(join(import.meta.dir, "../fixtures/wire", app), "utf8");
    running = await gunicorn({
      app: options.export === undefined ? "app" : `app:${options.export}`,
      files: { "app.ts": text, ...files },
      secure: transport === "TLS",
      args: ["-k", kind, ...patientClasses[kind], ...args],
    });
    workers = await running.settled(1);
  });
  afterAll(async () => {
    const after = running?.workers();
    await running?.[Symbol.asyncDispose]();
    expect(after).toEqual(workers);
  });
  const wire: Wire = {
    get server() {
      if (running === null) throw new Error("the server hasn't started");
      return running;
    },
    get workerPid() {
      return workers[0] ?? 0;
    },
    connect() {
      return RawClient.connect(wire.server);
    },
    async ask(request, method) {
      using client = await RawClient.connect(wire.server);
      return await client.ask(request, method);
    },
  };
  return wire;
}

/** The text of a request for a path, with Host and what else is wanted. */
export function get(path: string, ...lines: readonly string[]): string {
  return requestText("GET", path, lines);
}

export function post(path: string, body: string, ...lines: readonly string[]): string {
  return requestText("POST", path, [`Content-Length: ${body.length}`, ...lines]) + body;
}

export function requestText(method: string, path: string, lines: readonly string[] = []): string {
  return [`${method} ${path} HTTP/1.1`, "Host: test", ...lines, "", ""].join("\r\n");
}

export function head(path: string, ...lines: readonly string[]): string {
  return requestText("HEAD", path, lines);
}

export function get10(path: string, ...lines: readonly string[]): string {
  return [`GET ${path} HTTP/1.0`, "Host: test", ...lines, "", ""].join("\r\n");
}

/** A body in the chunked coding. */
export function chunked(...chunks: readonly string[]): string {
  const coded = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  return `${coded.join("")}0\r\n\r\n`;
}

const nothing: unknown = Object.assign(() => {}, { each: () => () => {} });

/** test(), or nothing at all where a claim doesn't apply: a skipped test would stand for a tool that is missing. */
export function testUnless(inapplicable: boolean): typeof test {
  return inapplicable ? (nothing as typeof test) : test;
}
