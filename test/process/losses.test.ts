/** Each planned event, a few times; `bun run losses` does it at length and prints the table. */
import { expect, test } from "bun:test";
import { lossOf, plannedEvents } from "../support/loads/losses.ts";

test.each(plannedEvents.map((event) => [event.name, event] as const))(
  "no request is lost: %s",
  async (_, event) => {
    const { requests, failures } = await lossOf(event, 3000, Math.min(event.rounds, 2));
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(3000);
  },
  300_000,
);
