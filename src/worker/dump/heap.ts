/**
 * A snapshot of the heap in V8's format, which Chrome's developer tools open (`.heapsnapshot`). The process stands still
 * meanwhile. Answers a sentence where Bun has none.
 */
export function takeHeap(): Uint8Array | string {
  if (typeof Bun.generateHeapSnapshot !== "function") return `Bun ${Bun.version} has no snapshots`;
  return new Uint8Array(Bun.generateHeapSnapshot("v8", "arraybuffer"));
}
