/**
 * The bytes of a short answer that leaves alone: head and body are written behind each other to memory that is used
 * again. To join them makes a text that the socket has to put in one piece, and that the collector has to free (bench:
 * hello).
 */

/** The longest answer that is written here. */
const longest = 1024;

const memory = Buffer.allocUnsafeSlow(longest);

/** The beginnings of it, by length: a view for each answer would be one more object. */
const views: Uint8Array[] = [];

/** What it begins with: the heads of short answers tend to repeat. */
let written = "";

/**
 * The bytes of two texts, which are ASCII; valid until the next call. Null if they are too long.
 * @param head may be written already
 */
export function shortAnswer(head: string, body: string): Uint8Array | null {
  const headLength = head.length;
  const length = headLength + body.length;
  if (length > longest) return null;
  if (head !== written) {
    memory.latin1Write(head, 0);
    written = head;
  }
  memory.latin1Write(body, headLength);
  return (views[length] ??= memory.subarray(0, length));
}

declare global {
  interface Buffer {
    /** Buffer's own, but missing in bun-types. */
    latin1Write(text: string, at: number, size?: number): number;
  }
}
