/**
 * What a Response was made from: its init. A native Response doesn't tell whether its body is fixed, unless it is
 * turned into a stream (response.body: 190 ns). So in a worker the global Response remembers its first argument, for
 * about 3 ns.
 *
 * | kind      | what the init is                                            | what is sent                       |
 * | --------- | ----------------------------------------------------------- | ---------------------------------- |
 * | none      | null or undefined                                           | no body                            |
 * | text      | a string, a number, a boolean, a bigint                     | the text                           |
 * | json text | what Bun has made JSON of, as json.ts leaves it to it       | the text that Bun has made of it   |
 * | bytes     | a buffer or a view, a form; the same of a clone             | the bytes, which Bun gives at once |
 * | blob      | a Blob or a Bun.file                                        | its bytes; large ones in parts     |
 * | stream    | a stream or an iterable; or unknown: the Response is one of | what comes, as it comes            |
 * |           | fetch() or a module of Bun's                                |                                    |
 *
 * A mark is a private field on somebody else's object: no app can see it. A lender is a Response whose stream another
 * Response was made from, as middleware does it: the other one is sent by the lender's init.
 */

import { isPlainGenerator } from "./generator.ts";
import { headerChanges, type KnownFields } from "../head/known-fields.ts";

/** The native class, taken before a worker replaces the global. */
export const NativeResponse = Response;

/** The init of a Response that wasn't made by the wrapped constructor. */
export const unknownInit = Symbol("unknown");

/** The init of a clone whose bytes are all there. */
const fixedInit = Symbol("fixed");

/** The init of JSON whose text only Bun has. */
export const jsonInit = Symbol("json");

/** The init of bytes that have no type unless a field says one: what a node listener has written. */
export const untypedInit = Symbol("untyped");

/** A constructor that returns its argument, so that a subclass adds its #fields to that object. */
const Stamped = function Stamped(target: object): object {
  return target;
} as unknown as new (target: object) => object;

/** A private field on somebody else's object: no dearer than a property, and no app can see it. */
class BodyMark extends Stamped {
  #init: unknown;
  #sent = false;
  readonly #fields: KnownFields | null;
  /** How often any Headers had changed by then. */
  readonly #changes: number;

  constructor(response: Response, init: unknown, fields: KnownFields | null) {
    super(response);
    this.#init = init;
    this.#fields = fields;
    this.#changes = headerChanges();
  }

  static init(response: object): unknown {
    return #init in response ? response.#init : unknownInit;
  }

  /** Null if they aren't known, or may have changed. */
  static fields(response: object): KnownFields | null {
    return #init in response && response.#changes === headerChanges() ? response.#fields : null;
  }

  /** What it was made from is of no account any more. */
  static forget(response: object): void {
    if (#init in response) response.#init = unknownInit;
  }

  /** Marks it as sent; true if it was before. */
  static send(response: object): boolean {
    if (!(#init in response)) return false;
    const sent = response.#sent;
    response.#sent = true;
    return sent;
  }
}

/**
 * Which file a Bun.file is of, and where a slice of it starts. Bun doesn't say either: `name` is the path until the app
 * gives it another one, as it may to every Blob.
 */
class FileMark extends Stamped {
  readonly #path: string;
  readonly #start: number | undefined;

  constructor(blob: Blob, path: string, start: number | undefined) {
    super(blob);
    this.#path = path;
    this.#start = start;
  }

  static path(blob: Blob): string | null {
    return #path in blob ? blob.#path : null;
  }

  static start(blob: Blob): number | undefined {
    return #start in blob ? blob.#start : undefined;
  }
}

/**
 * Remembers the body init of a new Response.
 * @param fields those that it was given; null: its Headers have to be asked
 */
export function markBody(
  response: Response,
  init: unknown,
  fields: KnownFields | null = null,
): void {
  Reflect.construct(BodyMark, [response, init, fields]);
}

/**
 * Carries the mark to a clone. What the body was made from may have changed since, so the bytes are the clone's own.
 */
export function copyMark(from: Response, to: Response): void {
  const init = bodyInit(from);
  const kind = bodyKind(init);
  // Both are branches of one stream, which alone asks the generator.
  if (isPlainGenerator(init)) BodyMark.forget(from);
  if (kind === "stream") return;
  markBody(to, kind === "bytes" ? fixedInit : init);
}

/** The lender's init, by its stream. The getter of `body` can't note it, since it isn't configurable. */
const lenders = new WeakMap<object, unknown>();

/** Remembers what is behind the stream of `new Response(lender.body, lender)`. */
export function lendBody(lender: unknown, body: ReadableStream): void {
  if (!(lender instanceof NativeResponse) || lender.body !== body) return;
  const init = bodyInit(lender);
  const kind = bodyKind(init);
  // The type of a form has the boundary, which only its own Response knows.
  const form = init instanceof FormData || init instanceof URLSearchParams;
  if (kind !== "stream" && !form) lenders.set(body, init);
}

/** The init of the Response whose body `stream` is, or unknownInit. */
export function lentInit(stream: unknown): unknown {
  if (typeof stream !== "object" || stream === null) return unknownInit;
  return lenders.get(stream) ?? unknownInit;
}

/** The init of a Response, or unknownInit. */
export function bodyInit(response: Response): unknown {
  return BodyMark.init(response);
}

/** The fields that a Response was given, and still has; null: its Headers have to be asked. */
export function givenFields(response: Response): KnownFields | null {
  const fields = BodyMark.fields(response);
  return fields === null || Object.hasOwn(response, "headers") ? null : fields;
}

/** Takes the right to send the body; false when it has been sent or read. */
export function claimBody(response: Response): boolean {
  return !response.bodyUsed && !BodyMark.send(response);
}

/** Answers that never have a body (RFC 9110 §15.3.5, §15.3.6, §15.4.5); 101 isn't one that an app can give. */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** The first column of the table above. */
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
      return init === fixedInit || init === untypedInit ? "bytes" : "stream";
    default:
  }
  if (init === null) return "none";
  if (ArrayBuffer.isView(init) || init instanceof ArrayBuffer) return "bytes";
  if (init instanceof Blob) return "blob";
  if (init instanceof FormData || init instanceof URLSearchParams) return "bytes";
  // Whatever else Bun accepts becomes a stream.
  return "stream";
}

/** Remembers the path of a new Bun.file. One of a descriptor, or of S3, has none. */
export function markFile(file: Blob): void {
  const path: unknown = Reflect.get(file, "name");
  if (typeof path === "string" && !("presign" in file))
    Reflect.construct(FileMark, [file, path, undefined]);
}

/** Remembers where `part` starts, which is `whole.slice(from)` of a file. */
export function markSlice(whole: Blob, part: Blob, from: unknown): void {
  const start = (FileMark.start(whole) ?? 0) + sliceOffset(whole, from);
  Reflect.construct(FileMark, [part, FileMark.path(whole), start]);
}

/** The offset of a slice of a file; undefined for a whole file. */
export function sliceStart(blob: Blob): number | undefined {
  return FileMark.start(blob);
}

/** The offset that Blob.slice makes of its first argument. */
function sliceOffset(whole: Blob, from: unknown): number {
  const start = typeof from === "number" ? Math.trunc(from) || 0 : 0;
  return start < 0 ? Math.max(0, whole.size + start) : start;
}

/** The path of what Bun.file has made; null for every other Blob, one that is made of such a file included. */
export function filePath(blob: Blob): string | null {
  return FileMark.path(blob);
}
