import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRoot, needsRoot } from "../support/needs.ts";
import { gunicorn, start } from "../support/server.ts";

const files = { "app.ts": `export default () => new Response("hello");\n` };

/** A mount namespace of its own, in which the words run before the server. */
function after(commands: string): readonly string[] {
  return ["unshare", "--mount", "sh", "-c", `${commands} && exec "$@"`, "sh"];
}

const small = "mount -t tmpfs -o size=64k none";
const fill = (path: string) =>
  `{ dd if=/dev/zero of=${path}/fill bs=1k count=100 2>/dev/null || true; }`;

const rows = [
  ["a full /dev/shm", `${small} /dev/shm && ${fill("/dev/shm")}`],
  ["a /dev/shm that is read-only", "mount -t tmpfs -o ro none /dev/shm"],
] as const;

test.skipIf(!isRoot).each([...rows])(
  `%s: the server starts, reloads and stops${needsRoot}`,
  async (_name, commands) => {
    await using server = await gunicorn({ files, through: after(commands), args: ["-w", "2"] });
    expect(await (await fetch(server.url)).text()).toBe("hello");
    const from = server.log.length;
    process.kill(server.pid, "SIGHUP");
    await server.logged("Booting worker", from);
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test.skipIf(!isRoot)(
  `a folder without room: one line that names it, and exit code 1${needsRoot}`,
  async () => {
    const path = mkdtempSync(join(tmpdir(), "gunicorn-ts-full-"));
    const through = after(`${small} ${path} && ${fill(path)}`);
    await using server = start({ files, through, args: ["--worker-tmp-dir", path] });
    expect(await server.process.exited).toBe(1);
    expect(server.log).toMatch(
      new RegExp(
        `\nError: --worker-tmp-dir: no room for the 1048576 bytes of heartbeats: ${path}: ENOSPC[^\n]*\n$`,
      ),
    );
    rmSync(path, { recursive: true });
  },
  120_000,
);

test("a folder that can't be written: one line that names it, and exit code 1", async () => {
  const closed = mkdtempSync(join(tmpdir(), "gunicorn-ts-closed-"));
  chmodSync(closed, 0o500);
  // Root may write anywhere but in /proc.
  const path = isRoot ? "/proc" : closed;
  await using server = start({ files, args: ["--worker-tmp-dir", path] });
  expect(await server.process.exited).toBe(1);
  expect(server.log).toMatch(new RegExp(`\nError: --worker-tmp-dir: [^\n]*: ${path}: E[^\n]*\n$`));
  rmSync(closed, { recursive: true });
}, 120_000);
