/**
 * The forms in which an app may read a body whose bytes are all there. A native Response makes the rare ones, and words
 * the errors as Bun does.
 */

export interface BodyResult {
  text: string;
  json: unknown;
  bytes: Uint8Array<ArrayBuffer>;
  arrayBuffer: ArrayBuffer;
  blob: Blob;
  formData: FormData;
}

export type BodyKind = keyof BodyResult;

/** The native classes, taken before a worker replaces the globals. */
const NativeResponse = Response;
const NativeRequest = Request;

const utf8 = new TextDecoder();

const noBytes = new Uint8Array(0);

type Converted = Promise<BodyResult[BodyKind]>;

/**
 * A native promise of `kind` for the whole of `source`. `owned`: the bytes have a buffer of their own that nobody else
 * refers to; others are copied, since apps may keep or transfer the buffer of what they get.
 */
export function convertBody<Kind extends BodyKind>(
  kind: Kind,
  contentType: string,
  source: Uint8Array | ReadableStream<Uint8Array>,
  owned = false,
): Promise<BodyResult[Kind]> {
  // Each branch of convert returns what BodyResult says for its kind.
  return convert(kind, contentType, source, owned) as Promise<BodyResult[Kind]>;
}

/** Nobody looks at bytes that aren't owned once they are converted. */
export function copiesAtOnce(kind: BodyKind): boolean {
  return kind !== "formData" && kind !== "blob";
}

/** What the read methods give for a request that has no body. */
export function convertNothing<Kind extends BodyKind>(
  kind: Kind,
  contentType: string,
): Promise<BodyResult[Kind]> {
  return convertBody(kind, contentType, noBytes);
}

function convert(
  kind: BodyKind,
  contentType: string,
  source: Uint8Array | ReadableStream<Uint8Array>,
  owned: boolean,
): Converted {
  if (!(source instanceof Uint8Array)) return readNatively(kind, contentType, source);
  switch (kind) {
    case "text":
      return Promise.resolve(utf8.decode(source));
    case "json":
      return parseJson(source);
    case "bytes":
      return Promise.resolve(owned ? source : new Uint8Array(source));
    case "arrayBuffer":
      return Promise.resolve((owned ? source : new Uint8Array(source)).buffer);
    case "blob":
      return Promise.resolve(new Blob([source], { type: contentType }));
    case "formData":
      return readNatively(kind, contentType, source);
    default:
      return kind satisfies never;
  }
}

function parseJson(source: Uint8Array): Promise<unknown> {
  const text = utf8.decode(source);
  try {
    return Promise.resolve(JSON.parse(text));
  } catch {
    // Not JSON: Bun's own reader words the SyntaxError.
    return new NativeResponse(text).json();
  }
}

function readNatively(kind: BodyKind, contentType: string, source: Bun.BodyInit): Converted {
  const response = new NativeResponse(source);
  if (contentType !== "") response.headers.set("content-type", contentType);
  return response[kind]();
}

/** Apps get Uint8Arrays, whatever the socket gave: a Buffer's slice() and toString() are others. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

let usedRequest: Request | null = null;

/** A native request whose body has been read: it rejects and throws with Bun's own errors. */
function used(): Request {
  if (usedRequest === null) {
    usedRequest = new NativeRequest("http://localhost/", { method: "POST", body: "used" });
    void usedRequest.text();
  }
  return usedRequest;
}

export function rejectUsedBody<Kind extends BodyKind>(kind: Kind): Promise<BodyResult[Kind]> {
  // A used body rejects whatever is asked, so the type of the value doesn't matter.
  return used()[kind]() as Promise<BodyResult[Kind]>;
}

/** Throws what clone() of a used request throws. */
export function throwUsedClone(): never {
  used().clone();
  throw new TypeError("Body is disturbed or locked");
}
