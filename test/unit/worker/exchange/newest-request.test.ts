/** What stands in the scoreboard while the app is asked, and behind that. */
import { expect, test } from "bun:test";
import { readNewest } from "../../../../src/ipc/newest-request.ts";
import { FakeEngine } from "../../../support/fake-engine.ts";

const rows: readonly (readonly [requests: string, paths: readonly string[]])[] = [
  ["one", ["/a"]],
  ["one head again and again", ["/a", "/a", "/a", "/a", "/a"]],
  ["two heads in turn", ["/a", "/bb", "/a", "/bb", "/a", "/bb"]],
  ["heads of one length", ["/a", "/b", "/a", "/b", "/a", "/b"]],
  ["a long one behind short ones", ["/a", "/a", "/a", `/${"x".repeat(60)}`, "/a"]],
  ["a short one behind long ones", [`/${"x".repeat(60)}`, `/${"x".repeat(60)}`, "/a", "/a"]],
];

test.each(rows)("%s", async (_requests, paths) => {
  const seen: unknown[] = [];
  const engine = new FakeEngine(() => {
    seen.push(readNewest(engine.scores.newest));
    return new Response("a");
  });
  const wire = engine.connect();
  for (const path of paths) {
    wire.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await engine.settle();
    seen.push(readNewest(engine.scores.newest));
  }
  const expected = paths.flatMap((path) =>
    [true, false].map((open) => ({ method: "GET", path, open })),
  );
  expect(seen).toEqual(expected);
});

test("the line of two equal requests is open until the second is finished", async () => {
  const answers: (() => void)[] = [];
  const engine = new FakeEngine(async () => {
    await new Promise<void>((resolve) => answers.push(resolve));
    return new Response("a");
  });
  const open = () => readNewest(engine.scores.newest)?.open;
  const wires = [engine.connect(), engine.connect()];
  const ask = async () => {
    for (const wire of wires) wire.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    await engine.settle();
  };
  const seen: unknown[] = [];
  // The head is known by the second time.
  for (let round = 0; round < 3; round++) {
    await ask();
    seen.push(open());
    for (const answer of answers.splice(0)) {
      answer();
      await engine.settle();
      seen.push(open());
    }
  }
  expect(seen).toEqual([true, true, false, true, true, false, true, true, false]);
});
