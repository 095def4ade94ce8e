/** Which bodies that the app doesn't read cost the connection, as the head says it, and as it turns out behind the answer. */
import { expect, test } from "bun:test";
import { costsConnection, costsItAfterAll } from "../../../../src/worker/exchange/unread-body.ts";

const untouched = { touched: false, discarded: false };
const reading = { touched: true, discarded: false };
const stopped = { touched: true, discarded: true };
const unknown = Number.POSITIVE_INFINITY;

type Row = [
  claim: string,
  body: typeof untouched,
  missing: number,
  waits: boolean,
  costs: boolean,
  afterAll: boolean,
];

const rows: Row[] = [
  ["all of it has come", untouched, 0, false, false, false],
  ["all of it has come, though the client waited", untouched, 0, true, false, false],
  ["a little is missing", untouched, 65_536, false, false, false],
  ["much is missing", untouched, 65_537, false, true, false],
  ["nobody knows how much is missing", untouched, unknown, false, true, false],
  ["the client waits for 100 Continue", untouched, 1, true, true, false],
  ["the app reads it", reading, unknown, false, false, false],
  ["the app has stopped to read, and a little is missing", stopped, 65_536, false, false, false],
  ["the app has stopped to read, and much is missing", stopped, 65_537, false, true, true],
];

test.each(rows)("%s", (_claim, body, missing, waits, costs, afterAll) => {
  expect(costsConnection(body, missing, waits)).toBe(costs);
  expect(costsItAfterAll(body, missing)).toBe(afterAll);
});
