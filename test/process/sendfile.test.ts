/** Files of more than 64 KiB, with the kernel's sendfile and without. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descriptorsOf } from "../support/descriptors.ts";
import { anonymousBytes, megabyte, Watch } from "../support/memory.ts";
import { field, RawClient } from "../support/raw-client.ts";
import { gunicorn, until } from "../support/server.ts";
import { get, head } from "../support/wire.ts";

setDefaultTimeout(120_000);

const size = 40_000_000;
const pattern = Buffer.from(Uint8Array.from({ length: size }, (_, index) => index % 251));

const app = `
const path = process.env.LARGE;
export const fetch = ({ url }) => url.endsWith("/small")
  ? new Response("small")
  : new Response(url.endsWith("/slice") ? Bun.file(path).slice(1_000_001, 9_000_000) : Bun.file(path));
`;

async function withFile(
  args: readonly string[],
  secure: boolean,
  use: (parts: {
    server: Awaited<ReturnType<typeof gunicorn>>;
    path: string;
    pid: number;
  }) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-sendfile-"));
  const path = join(folder, "large");
  writeFileSync(path, pattern);
  try {
    await using server = await gunicorn({
      files: { "app.ts": app },
      app: "app:fetch",
      secure,
      env: { LARGE: path },
      args: [...args, "--keep-alive", "300"],
    });
    const [pid = 0] = await server.settled(1);
    await use({ server, path, pid });
    await until("every file to be closed", () =>
      descriptorsOf(pid).every(([, what]) => !what.startsWith(path)),
    );
    expect(server.workers()).toEqual([pid]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `held`: what 64 slow readers may cost. The kernel's way holds nothing for them; a reading thread 256 KiB each. */
const ways: [way: string, args: readonly string[], secure: boolean, heldBytes: number][] = [
  ["sendfile", [], false, 12 * megabyte],
  ["--no-sendfile", ["--no-sendfile"], false, 48 * megabyte],
  ["TLS", [], true, 96 * megabyte],
];

describe.each(ways)("%s", (_way, args, secure, heldBytes) => {
  test("all of it, a slice, a range and HEAD, one behind the other", () =>
    withFile(args, secure, async ({ server }) => {
      using client = await RawClient.connect(server);
      const asked: [request: string, expected: Buffer][] = [
        [get("/"), pattern],
        [get("/slice"), pattern.subarray(1_000_001, 9_000_000)],
        [get("/", "Range: bytes=70001-30000000"), pattern.subarray(70_001, 30_000_001)],
        [get("/", "Range: bytes=-100000"), pattern.subarray(-100_000)],
      ];
      client.send(asked.map(([request]) => request + get("/small")).join(""));
      for (const [, expected] of asked) {
        const { complete, body } = await client.answer();
        expect([complete, body.length]).toEqual([true, expected.length]);
        expect(body.equals(expected)).toBe(true);
        expect((await client.answer()).body.toString()).toBe("small");
      }
      const figures = await client.ask(head("/"), "HEAD");
      expect(field(figures, "content-length")).toBe(String(size));
    }));

  test("64 readers that don't read hold little memory, and get all", () =>
    withFile(args, secure, async ({ server, pid }) => {
      using stack = new DisposableStack();
      // Each once, so that whatever is made once is there.
      using first = await RawClient.connect(server);
      await first.ask(get("/"));
      const opened = () => descriptorsOf(pid).filter(([, what]) => what.endsWith("/large")).length;
      using watch = new Watch(() => anonymousBytes(pid));
      const clients = await Promise.all(
        Array.from({ length: 64 }, async () => stack.use(await RawClient.connect(server))),
      );
      for (const client of clients) client.pause();
      for (const client of clients) client.send(get("/"));
      await until("64 open files", () => opened() === 64);
      // Others are served meanwhile.
      for (let count = 0; count < 50; count++) await first.ask(get("/small"));
      watch.look();
      expect(watch.highest - watch.before).toBeLessThan(heldBytes);
      for (const client of clients.slice(8)) client.reset();
      for (const client of clients.slice(0, 8)) {
        client.resume();
        const { complete, body } = await client.answer();
        expect([complete, body.equals(pattern)]).toEqual([true, true]);
      }
    }));

  test("a file that is truncated while it is sent: what was there, and one line in the log", () =>
    withFile(args, secure, async ({ server, path }) => {
      using client = await RawClient.connect(server);
      client.pause();
      client.send(get("/"));
      using other = await RawClient.connect(server);
      for (let count = 0; count < 10; count++) await other.ask(get("/small"));
      // Of what is in the socket the kernel has no copy: behind another length it would zero the rest of the last pages.
      truncateSync(path, 0);
      client.resume();
      const { complete, body } = await client.answer();
      expect(complete).toBe(false);
      expect(body.equals(pattern.subarray(0, body.length))).toBe(true);
      await server.logged(/GET \/: Content-Length is 40000000, the body has \d+ bytes/);
      expect((await other.ask(get("/small"))).body.toString()).toBe("small");
    }));
});
