import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeHolder } from "../../../src/os/port-holder.ts";

const nameOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();
const me = `${nameOf(process.pid)} (pid:${process.pid})`;

describe("describeHolder()", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1", me],
    ["127.0.0.1", "0.0.0.0", me],
    ["127.0.0.1", "::", me],
    ["127.0.0.1", "::ffff:127.0.0.1", me],
    ["127.0.0.1", "127.0.0.2", null],
    ["0.0.0.0", "127.0.0.1", me],
    ["::1", "::1", me],
    ["::1", "0:0:0:0:0:0:0:1", me],
    ["::1", "::", me],
    ["::1", "::2", null],
  ])("of a socket at %s, asked for %s: %p", (hostname, asked, expected) => {
    using server = Bun.listen({ hostname, port: 0, socket: { data() {} } });
    expect(describeHolder({ hostname: asked, port: server.port })).toBe(expected);
    expect(describeHolder({ hostname: asked, port: server.port === 1 ? 2 : 1 })).toBeNull();
  });

  test("names the first of several processes, and how many more there are", async () => {
    const program = `const server = Bun.listen({ hostname: "127.0.0.1", port: Number(process.argv[1] ?? 0),
      reusePort: true, socket: { data() {} } }); console.log(server.port); setInterval(() => {}, 60_000);`;
    const spawn = (port: string) =>
      Bun.spawn([process.execPath, "-e", program, port], { stdout: "pipe" });
    await using first = spawn("0");
    const port = await firstLine(first.stdout);
    await using second = spawn(port);
    expect(await firstLine(second.stdout)).toBe(port);
    const pid = Math.min(first.pid, second.pid);
    expect(describeHolder({ hostname: "127.0.0.1", port: Number(port) })).toBe(
      `${nameOf(pid)} (pid:${pid}) and 1 more`,
    );
  });

  test("of unix sockets, by path and by name", () => {
    const folder = mkdtempSync(join(tmpdir(), "port-holder-"));
    try {
      for (const path of [join(folder, "a b.sock"), `\0port-holder-${process.pid}`]) {
        using server = Bun.listen({ unix: path, socket: { data() {} } });
        expect(describeHolder({ path })).toBe(me);
        expect(describeHolder({ path: `${path}x` })).toBeNull();
        server.stop(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  for await (const chunk of stream) return new TextDecoder().decode(chunk).trim();
  return "";
}
