import { expect, test } from "bun:test";
import { poll, TimedOut } from "../../../../src/cli/ctl/waiting.ts";

test("poll() waits no longer than it is told for a server that doesn't answer", async () => {
  const { promise, reject } = Promise.withResolvers<null>();
  const failure = await poll("Not ready", 20, () => promise).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TimedOut);
  expect(String(failure)).toContain("Not ready within 0.02 s");
  // What comes of the question then is nobody's.
  reject(new Error("The server is shutting down"));
  await Bun.sleep(0);
});

test("poll() asks again until there is an answer", async () => {
  let left = 2;
  expect(await poll("Not ready", 60_000, async () => (left-- > 0 ? null : "ready"))).toBe("ready");
});

test("poll() throws what the question throws", async () => {
  const asked = poll("Not ready", 60_000, () => Promise.reject(new Error("refused")));
  await expect(asked).rejects.toThrow("refused");
});
