import { expect, test } from "bun:test";
import { join } from "node:path";

const output = join(import.meta.dir, "../../../../src/http/response/output.ts");

/** Of a process of its own: what counts as live, and what memory is taken, in MiB, behind owned bodies of a size. */
async function grownBy(bytes: number): Promise<{ live: number; taken: number }> {
  const script = `
    import { heapStats } from "bun:jsc";
    import { OutputBuffer } from ${JSON.stringify(output)};
    const figures = () => (Bun.gc(true), [heapStats().extraMemorySize, process.memoryUsage.rss()]);
    const [live, taken] = figures();
    const output = new OutputBuffer();
    for (let count = 0; count < 3; count++) {
      output.addOwnedBytes(new Uint8Array(${bytes}));
      output.writeTo({ write: ({ length }) => length });
    }
    const [more, most] = figures();
    console.log(JSON.stringify({ live: more - live, taken: most - taken }));`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const figures = (await new Response(child.stdout).json()) as { live: number; taken: number };
  const mib = 1024 * 1024;
  return { live: Math.round(figures.live / mib), taken: Math.round(figures.taken / mib) };
}

test.each([
  ["large bodies let the heap grow, once, and take no memory for that", 65_536, 32],
  ["smaller ones don't", 65_535, 0],
])(
  "%s",
  async (_claim, bytes, live) => {
    const grown = await grownBy(bytes);
    expect(grown.live).toBe(live);
    expect(grown.taken).toBeLessThan(16);
  },
  120_000,
);
