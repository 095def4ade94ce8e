// What a Response was made from. A native Response doesn't tell whether its body is fixed without turning it into a stream
// (response.body: 190 ns), so in a worker the global Response remembers its first argument, for about 3 ns.
// A Response that came about otherwise (fetch(), Bun's own modules) isn't known and is sent as a stream.

// Taken when the module is loaded, before a worker replaces the globals.
export const NativeResponse = Response;

/** The body of a Response that wasn't made by the wrapped constructor. */
export const unknownInit = Symbol("unknown");

/** A body whose bytes are all there, whatever they were made from. */
const fixedInit = Symbol("fixed");

/** The same, and they are UTF-8 text: Response.json(). */
export const jsonInit = Symbol("fixed text");

/** A constructor that returns an object: to that one a subclass's #fields are added. */
const Stamped = function Stamped(target: object): object {
  return target;
} as unknown as new (target: object) => object;

/** A private field on somebody else's object: no dearer than a property, and no app can see it. */
class BodyMark extends Stamped {
  readonly #init: unknown;
  #sent = false;

  constructor(response: Response, init: unknown) {
    super(response);
    this.#init = init;
  }

  static init(response: object): unknown {
    return #init in response ? response.#init : unknownInit;
  }

  /** Marks it as sent; true if it was before. */
  static send(response: object): boolean {
    if (!(#init in response)) return false;
    const sent = response.#sent;
    response.#sent = true;
    return sent;
  }
}

/** Where a slice of a file starts, which Bun doesn't say. */
class SliceMark extends Stamped {
  readonly #start: number;

  constructor(blob: Blob, start: number) {
    super(blob);
    this.#start = start;
  }

  static start(blob: Blob): number | undefined {
    return #start in blob ? blob.#start : undefined;
  }
}

/** Remembers the body init of a new Response. */
export function markBody(response: Response, init: unknown): void {
  Reflect.construct(BodyMark, [response, init]);
}

/** Carries the mark to a clone. What a body was made from may have changed since, so its bytes are read from the clone. */
export function copyMark(from: Response, to: Response): void {
  const init = bodyInit(from);
  const kind = bodyKind(init);
  if (kind === "stream") return;
  markBody(to, kind === "bytes" ? fixedInit : init);
}

/** By stream: what the Response that it was taken from was made from. The getter of `body` isn't configurable, so it can't tell. */
const lenders = new WeakMap<object, unknown>();

/** For `new Response(lender.body, lender)`, as middleware has it: remembers what is behind the stream. */
export function lendBody(lender: unknown, body: ReadableStream): void {
  if (!(lender instanceof NativeResponse) || lender.body !== body) return;
  const init = bodyInit(lender);
  const kind = bodyKind(init);
  // The type of a form has the boundary, which only its own Response knows.
  const form = init instanceof FormData || init instanceof URLSearchParams;
  if (kind !== "stream" && !form) lenders.set(body, init);
}

/** What the Response was made from whose body `stream` is, or unknownInit. */
export function lentInit(stream: unknown): unknown {
  if (typeof stream !== "object" || stream === null) return unknownInit;
  return lenders.get(stream) ?? unknownInit;
}

/** What the Response was made from, or unknownInit. */
export function bodyInit(response: Response): unknown {
  return BodyMark.init(response);
}

/** Takes the right to send the body; false when it has been sent or read. */
export function claimBody(response: Response): boolean {
  return !response.bodyUsed && !BodyMark.send(response);
}

export type InitKind = "none" | "text" | "json text" | "bytes" | "blob" | "stream";

export function bodyKind(init: unknown): InitKind {
  switch (typeof init) {
    case "string":
    case "number":
    case "boolean":
    case "bigint":
      return "text";
    case "undefined":
      return "none";
    case "symbol":
      if (init === jsonInit) return "json text";
      return init === fixedInit ? "bytes" : "stream";
    default:
  }
  if (init === null) return "none";
  if (ArrayBuffer.isView(init) || init instanceof ArrayBuffer) return "bytes";
  if (init instanceof Blob) return "blob";
  if (init instanceof FormData || init instanceof URLSearchParams) return "bytes";
  // Streams, iterables, and whatever else Bun accepts: as a stream they are all alike.
  return "stream";
}

/** Remembers where `part`, whole.slice(from), starts. */
export function markSlice(whole: Blob, part: Blob, from: unknown): void {
  const start = (SliceMark.start(whole) ?? 0) + sliceOffset(whole, from);
  Reflect.construct(SliceMark, [part, start]);
}

/** The offset of a slice of a file; undefined for a whole file. */
export function sliceStart(blob: Blob): number | undefined {
  return SliceMark.start(blob);
}

/** How Blob.slice reads its first argument. */
function sliceOffset(whole: Blob, from: unknown): number {
  const start = typeof from === "number" ? Math.trunc(from) || 0 : 0;
  return start < 0 ? Math.max(0, whole.size + start) : start;
}

/** The path of a Bun.file; null for bytes in memory, File objects, S3 and file descriptors. */
export function filePath(blob: Blob): string | null {
  const name: unknown = Reflect.get(blob, "name");
  if (typeof name !== "string" || blob instanceof File || "presign" in blob) return null;
  return name;
}
