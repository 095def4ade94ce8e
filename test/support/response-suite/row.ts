/** One row of a table of answers: a request and what must come back, to the byte. */
import { expect } from "bun:test";
import { type Answer, field } from "../raw-client.ts";
import { get, type Kind, type Wire, type WireRow } from "../wire.ts";

export interface ResponseRow extends WireRow {
  readonly request: string;
  readonly status?: number;
  readonly reason?: string;
  readonly body?: string | RegExp | number;
  readonly framing?: Answer["framing"];
  /** Where Bun.serve is free to frame otherwise. */
  readonly framingOfServe?: Answer["framing"];
  /** By name; null: must not stand. */
  readonly fields?: Readonly<Record<string, string | RegExp | null>>;
  readonly complete?: boolean;
  /** Whether the connection takes another request. */
  readonly kept?: boolean;
  /** What the error log of an async worker says. */
  readonly log?: RegExp;
}

/** For a server of test/fixtures/wire/responses.ts. */
export async function expectResponse(wire: Wire, kind: Kind, row: ResponseRow): Promise<void> {
  const { request, status = 200, fields = {}, complete = true, kept = true } = row;
  const logBefore = wire.server.log.length;
  using client = await wire.connect();
  const answer = await client.ask(request, request.slice(0, request.indexOf(" ")));
  expect(answer.status).toBe(status);
  if (row.reason !== undefined) expect(answer.reason).toBe(row.reason);
  const framing = kind === "serve" ? (row.framingOfServe ?? row.framing) : row.framing;
  if (framing !== undefined) expect(answer.framing).toBe(framing);
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof RegExp) expect(field(answer, name)).toMatch(value);
    else expect([name, field(answer, name)]).toEqual([name, value]);
  }
  expectBody(answer, row.body);
  expect(answer.complete).toBe(complete);
  if (kept) {
    expect(field(answer, "connection")).toBeNull();
    const next = await client.ask(get("/string"));
    expect(next.body.toString()).toBe("hello");
  } else {
    expect(await client.ended()).toBeOneOf(complete ? ["fin"] : ["fin", "reset"]);
    expect(client.unread).toBe(0);
  }
  if (row.log !== undefined && kind === "async") await wire.server.logged(row.log, logBefore);
}

function expectBody({ body }: Answer, expected: ResponseRow["body"]): void {
  if (expected === undefined) return;
  if (typeof expected === "number") expect(body.length).toBe(expected);
  else if (typeof expected === "string") expect(body.toString("latin1")).toBe(expected);
  else expect(body.toString("latin1")).toMatch(expected);
}
