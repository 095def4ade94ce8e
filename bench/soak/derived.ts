/** Bytes that follow from a URL, so that who asks can tell a wrong one. */

/** A prime: no buffer's size is a multiple of it, so that bytes of another place differ. */
const period = 65_521;

/** The bytes of `/.../SIZE/SEED`: for each seed others. */
export function derivedBytes(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  const first = Math.min(size, period);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < first; at++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 255;
  }
  for (let at = first; at < size; at += period) {
    bytes.copyWithin(at, 0, Math.min(period, size - at));
  }
  return bytes;
}
