/**
 * Memory that answers are put together in, used again and again: new memory for each would be the collector's work
 * (bench: stream, file-16k). Invariant: a block has one user at a time.
 */

/** Room for 64 KiB in 16 chunks with their framing, or for a file of 64 KiB, and for a head. */
export const blockBytes = 72 * 1024;

const spare: Buffer[] = [];
const spareBlocks = 32;

export function takeBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
}

/** Nobody looks at `block` any more. */
export function giveBlock(block: Buffer): void {
  if (spare.length < spareBlocks) spare.push(block);
}
