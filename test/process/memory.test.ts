import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { anonymousBytes, megabyte, Watch } from "../support/memory.ts";
import { gunicorn, type RunningServer } from "../support/server.ts";

setDefaultTimeout(120_000);

const gigabyte = 1024 ** 3;
const app = join(import.meta.dir, "../fixtures/calm/gigabyte.ts");
const growthBytes = 64 * megabyte;

const figures: string[] = [];
afterAll(() => Bun.write(Bun.stdout, `\n${figures.join("\n")}\n`));

/** A file of so many zeros that occupies nothing. */
function sparseFile(server: RunningServer, sizeBytes: number): string {
  const path = join(server.folder, "gigabyte.bin");
  writeFileSync(path, "");
  truncateSync(path, sizeBytes);
  return path;
}

async function curl(...args: readonly string[]): Promise<string> {
  const child = Bun.spawn(["curl", "-sS", ...args], { stdout: "pipe", stderr: "pipe" });
  const [text, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect([await child.exited, error]).toEqual([0, ""]);
  return text;
}

async function zerosHash(): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha1");
  const zeros = new Uint8Array(16 * megabyte);
  for (let at = 0; at < gigabyte; at += zeros.length) hasher.update(zeros);
  return hasher.digest("hex");
}

/** Runs a transfer of 1 GiB, and holds the worker to its bound all the while. */
async function watched(
  what: string,
  transfer: (server: RunningServer) => Promise<void>,
): Promise<void> {
  await using server = await gunicorn({
    files: { "app.ts": await Bun.file(app).text() },
  });
  const [pid = 0] = server.workers();
  using memory = new Watch(() => anonymousBytes(pid));
  const start = performance.now();
  await transfer(server);
  const seconds = (performance.now() - start) / 1000;
  memory.look();
  const [before, highest] = [memory.before, memory.highest].map((size) =>
    (size / megabyte).toFixed(1),
  );
  figures.push(`${what}: ${before} MB idle, ${highest} MB at most, ${seconds.toFixed(1)} s`);
  expect(server.workers()).toEqual([pid]);
  expect(memory.highest - memory.before).toBeLessThan(growthBytes);
}

const uploads: [how: string, args: readonly string[]][] = [
  ["Content-Length", []],
  ["chunks", ["-H", "Transfer-Encoding: chunked"]],
];

test.each(uploads)("1 GiB uploaded with %s and streamed to a hash", async (how, args) => {
  await watched(`upload of 1 GiB with ${how}`, async (server) => {
    const file = sparseFile(server, gigabyte);
    expect(await curl("-T", file, "-H", "Expect:", ...args, `${server.url}/hash`)).toBe(
      await zerosHash(),
    );
  });
});

test.each(["/zeros", "/fresh", "/file"])("1 GiB downloaded from %s", async (path) => {
  await watched(`download of 1 GiB from ${path}`, async (server) => {
    sparseFile(server, gigabyte);
    const size = await curl("-o", "/dev/null", "-w", "%{size_download}", `${server.url}${path}`);
    expect(Number(size)).toBe(gigabyte);
  });
});
