/** PEM (RFC 7468): text blocks that begin and end with a label. Pure. */

export interface PemBlock {
  /** `CERTIFICATE`, `EC PRIVATE KEY`. */
  readonly label: string;
  /** The block, with its first and its last line; lines end with LF. */
  readonly text: string;
}

const block = /^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?$[^]*?^-----END \1-----/gm;
const begin = /^-----BEGIN [A-Z0-9 ]+-----/gm;

/** The blocks of a text, in their order; whatever stands between them is skipped. */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(block)].map(([found, label = ""]) => ({
    label,
    text: `${found.replaceAll("\r", "")}\n`,
  }));
}

/** Whether a block has no end, or another one than it should. */
export function isCutOff(text: string): boolean {
  return [...text.matchAll(begin)].length > pemBlocks(text).length;
}

/** What to say where the wanted blocks aren't. */
export function describeContent(text: string): string {
  if (text.trim() === "") return "is empty";
  // ASN.1's SEQUENCE: what DER and PKCS#12 files begin with.
  if (text.startsWith("\x30")) return "is DER or PKCS#12, and PEM is needed";
  if (isCutOff(text)) return "is cut off: a block of PEM has no end";
  const labels = [...new Set(pemBlocks(text).map(({ label }) => label))];
  return labels.length === 0 ? "is not PEM" : `has only ${labels.join(", ")}`;
}
