/** The health check that docs/deploy-containers.md has, as a container's daemon runs it. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { gunicorn } from "../support/server.ts";

const page = readFileSync(join(import.meta.dir, "../../docs/deploy-containers.md"), "utf8");
const words = JSON.parse(/^HEALTHCHECK CMD (.*)$/m.exec(page)![1]!) as string[];

async function check(port: number): Promise<number> {
  const env = { PORT: String(port) };
  return await Bun.spawn(words.with(0, process.execPath), {
    env,
    stdio: ["ignore", "ignore", "ignore"],
  }).exited;
}

test.each([
  [200, 0],
  [503, 1],
])(
  "a server that answers %i is told by %i",
  async (status, code) => {
    const app = `export const fetch = ({ url }) => new Response("", { status: url.endsWith("/health") ? ${status} : 404 });`;
    await using server = await gunicorn({ app: "app", files: { "app.ts": app } });
    expect(await check(server.port)).toBe(code);
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test("that nobody listens is told by 1", async () => {
  expect(await check(freePort())).toBe(1);
}, 120_000);
