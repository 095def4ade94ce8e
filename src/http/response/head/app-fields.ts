/** The fields of an app's answer: which lines are passed on, and what the server makes of the others. */

/** The fields that an app has set, sorted by what the server makes of them. */
export interface AppFields {
  /** `name: value` lines of all that are passed on. */
  readonly lines: string;
  readonly contentType: boolean;
  /** The app's Content-Length, which framing checks. */
  readonly contentLength: string | null;
  /** The names that the app announces as trailers. */
  readonly trailer: string | null;
  readonly contentEncoding: boolean;
  readonly contentRange: boolean;
  readonly contentDisposition: boolean;
  readonly date: boolean;
  readonly server: boolean;
  /** The app asks for the connection to end. */
  readonly close: boolean;
  /** All of `lines` is ASCII: so is the head then. */
  readonly ascii: boolean;
}

export const noFields: AppFields = {
  lines: "",
  contentType: false,
  contentLength: null,
  trailer: null,
  contentEncoding: false,
  contentRange: false,
  contentDisposition: false,
  date: false,
  server: false,
  close: false,
  ascii: true,
};

/**
 * What a line does by its name, in lower case: the bit of `flags` that it sets, and is passed on; or less than 0, and it
 * isn't.
 */
const contentTypeBit = 1;
const contentEncodingBit = 2;
const contentRangeBit = 4;
const dateBit = 8;
const serverBit = 16;
const closeBit = 32;
const notAsciiBit = 64;
const contentDispositionBit = 128;
const anyBit = 256;
const dropped = -1;
const connection = -2;
const contentLengthKind = -3;
const trailerKind = -4;

// RFC 9110 §7.6.1 and RFC 9112 §6: what describes the connection is the server's. `Connection: close` is heard.
const kinds: Readonly<Record<string, number>> = {
  connection,
  "keep-alive": dropped,
  "proxy-authenticate": dropped,
  "proxy-authorization": dropped,
  "proxy-authentication-info": dropped,
  "proxy-connection": dropped,
  te: dropped,
  "transfer-encoding": dropped,
  upgrade: dropped,
  "content-length": contentLengthKind,
  trailer: trailerKind,
  "content-type": contentTypeBit,
  "content-encoding": contentEncodingBit,
  "content-range": contentRangeBit,
  "content-disposition": contentDispositionBit,
  // Unlike Gunicorn's, an app's Date and Server win over ours, as in Bun.serve.
  date: dateBit,
  server: serverBit,
};

/** The kinds of names as apps write them: a name in lower case is one more text (bench: express). */
const known = new Map<string, number>();
const knownNames = 256;

function kindOf(name: string): number {
  const kind = known.get(name);
  if (kind !== undefined) return kind;
  const lower = name.toLowerCase();
  const found = Object.hasOwn(kinds, lower) ? (kinds[lower] as number) : 0;
  if (known.size < knownNames) known.set(name, found);
  return found;
}

/** A field of an answer that describes its connection, and isn't passed on. */
export function isOfConnection(name: string): boolean {
  const kind = kindOf(name);
  return kind === dropped || kind === connection;
}

/** What addField() fills: the callback of forEach is shared, so that no answer costs a closure (bench: hello). */
let lines = "";
let contentLength: string | null = null;
let trailer: string | null = null;
let flags = 0;

function begin(): void {
  lines = "";
  contentLength = null;
  trailer = null;
  flags = 0;
}

/** Reads the fields of a Response once. Repeated Set-Cookie come one by one and stay apart (RFC 9110 §5.3). */
export function readAppFields(headers: Headers): AppFields {
  // Most small answers have none; forEach would make an iterator to find that out (bench: hello).
  if (headers.count === 0) return noFields;
  begin();
  headers.forEach(addField);
  return takeFields();
}

/** The last list that was read, and what it has given: small answers tend to repeat (bench: express). */
let lastFlat: readonly string[] = [];
let lastFields: AppFields = noFields;

/**
 * The same of names and values in turn, whose names keep their case, and whose lines stay apart.
 * @param flat isn't changed any more
 */
export function readFlatFields(flat: readonly string[]): AppFields {
  if (isSame(flat, lastFlat)) return lastFields;
  begin();
  for (let at = 0; at < flat.length; at += 2) addField(flat[at + 1]!, flat[at]!);
  lastFlat = flat;
  lastFields = takeFields();
  return lastFields;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  // What differs from answer to answer, a length or a tag, tends to come last.
  for (let at = some.length - 1; at >= 0; at -= 1) if (some[at] !== others[at]) return false;
  return true;
}

function takeFields(): AppFields {
  if (flags === 0) return noFields;
  return {
    lines,
    contentType: (flags & contentTypeBit) !== 0,
    contentLength,
    trailer,
    contentEncoding: (flags & contentEncodingBit) !== 0,
    contentRange: (flags & contentRangeBit) !== 0,
    contentDisposition: (flags & contentDispositionBit) !== 0,
    date: (flags & dateBit) !== 0,
    server: (flags & serverBit) !== 0,
    close: (flags & closeBit) !== 0,
    ascii: (flags & notAsciiBit) === 0,
  };
}

function addField(value: string, name: string): void {
  const kind = kindOf(name);
  flags |= anyBit;
  if (kind < 0) return take(kind, value);
  flags |= kind;
  // Each value is asked: to ask all lines at the end would build that string once more (bench: hello).
  if (Buffer.byteLength(value) !== value.length) flags |= notAsciiBit;
  lines += `${name}: ${value}\r\n`;
}

/** A line that isn't passed on. */
function take(kind: number, value: string): void {
  if (kind === connection) {
    if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) flags |= closeBit;
  } else if (kind === contentLengthKind) contentLength = value;
  else if (kind === trailerKind) trailer = trailer === null ? value : `${trailer}, ${value}`;
}

/** The same fields of a body that isn't encoded after all, and has another length. */
export function withoutEncoding(fields: AppFields): AppFields {
  const lines = fields.lines.replace(/(^|\n)content-encoding: [^\n]*\n/, "$1");
  return { ...fields, lines, contentEncoding: false, contentLength: null };
}
