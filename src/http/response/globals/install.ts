/**
 * Replaces a worker's globals before the app is imported. Invariant: nothing of it shows. Prototypes, statics, names
 * and lengths are the same, and instanceof holds in both directions.
 */
import { isLazyRequest } from "../../request/request.ts";
import {
  bodyKind,
  copyMark,
  filePath,
  lendBody,
  markBody,
  markFile,
  markSlice,
  NativeResponse,
} from "./body.ts";
import { copyDecoded, markDecoded } from "./decoded.ts";
import { makeStream, NativeReadableStream } from "./direct-stream.ts";
import { isPlainGenerator } from "./generator.ts";
import { json } from "./json.ts";
import {
  headersChange,
  type KnownFields,
  knownFields,
  noFieldsGiven,
  typeFields,
} from "../head/known-fields.ts";

/** Native classes and functions, kept apart from what apps may patch later. */
const NativeRequest = Request;
const nativeClone = NativeResponse.prototype.clone;
const nativeFetch = fetch;
const nativeFile = Bun.file;
const nativeSlice = Blob.prototype.slice;

let installed = false;
let installedFiles = false;

/** Makes files remember their path, and slices of them where they start. The second call does nothing. */
export function installFiles(): void {
  if (installedFiles) return;
  installedFiles = true;
  replaceMethod(Bun, "file", file);
  replaceMethod(Blob.prototype, "slice", slice);
}

/** For a class whose answers Bun sends. `marked`: somebody wants to know what Responses were made from. */
export function installMarks(marked: boolean): void {
  if (marked) installResponse();
  else installFiles();
}

/**
 * Makes Responses remember what they were made from, direct streams how they are read, fetch() what it has decoded, and
 * Requests copy ours; files as installFiles() does. The second call does nothing.
 */
export function installResponse(): void {
  if (installed) return;
  installFiles();
  installed = true;
  replaceGlobal("Response", NativeResponse, WrappedResponse);
  replaceGlobal("Request", NativeRequest, WrappedRequest);
  replaceGlobal("ReadableStream", NativeReadableStream, WrappedReadableStream);
  replaceMethod(WrappedResponse, "json", json);
  replaceMethod(NativeResponse.prototype, "clone", clone);
  for (const name of ["append", "set", "delete"] as const)
    replaceMethod(Headers.prototype, name, changing(name));
  replaceMethod(globalThis, "fetch", Object.assign(fetchAndMark, nativeFetch));
}

function WrappedResponse(body: unknown, init: unknown): object {
  const target = new.target;
  if (target === undefined) return callWithoutNew(NativeResponse);
  const response: Response =
    target === WrappedResponse
      ? // Whatever they are, the native constructor judges them.
        new NativeResponse(body as Bun.BodyInit, init as ResponseInit)
      : Reflect.construct(NativeResponse, [body, init], target);
  if (typeof body === "object" && body instanceof NativeReadableStream) lendBody(init, body);
  // A subclass may have Headers of its own.
  markBody(response, body, target === WrappedResponse ? fieldsGiven(body, init) : null);
  return response;
}

/** The fields of a Response that was made of these; null: its Headers have to be asked. */
function fieldsGiven(body: unknown, init: unknown): KnownFields | null {
  if (typeof body === "string") {
    if (init === undefined) return noFieldsGiven;
    if (typeof init !== "object" || init === null) return null;
    const { headers } = init as ResponseInit;
    return headers === undefined ? noFieldsGiven : knownFields(headers);
  }
  if (init !== undefined) return null;
  if (body instanceof Blob) return filePath(body) === null ? null : typeFields(body.type);
  return isUntyped(body) ? noFieldsGiven : null;
}

/** Bun adds no type of its own to the Headers. */
function isUntyped(body: unknown): boolean {
  if (body instanceof NativeReadableStream || isPlainGenerator(body)) return true;
  const kind = bodyKind(body);
  if (kind === "bytes") return !(body instanceof FormData || body instanceof URLSearchParams);
  return kind === "none" || kind === "text";
}

function WrappedReadableStream(source: unknown, strategy: unknown): object {
  const target = new.target;
  if (target === undefined) return callWithoutNew(NativeReadableStream);
  return makeStream(
    source,
    strategy,
    target === WrappedReadableStream ? NativeReadableStream : target,
  );
}

/**
 * Native code would read our getters, and so lock the body of `input`; Bun copies a native one and leaves it readable.
 */
function WrappedRequest(input: unknown, init: unknown): object {
  const target = new.target;
  if (target === undefined) return callWithoutNew(NativeRequest);
  const copied = isLazyRequest(input) && !input.bodyUsed && !hasBody(init) ? input.clone() : input;
  return Reflect.construct(
    NativeRequest,
    init === undefined ? [copied] : [copied, init],
    target === WrappedRequest ? NativeRequest : target,
  );
}

function hasBody(init: unknown): boolean {
  return typeof init === "object" && init !== null && Reflect.get(init, "body") != null;
}

/** The method of Headers, which counts. */
function changing(name: "append" | "set" | "delete"): (...args: unknown[]) => unknown {
  const native = Headers.prototype[name] as (...args: unknown[]) => unknown;
  return function (this: Headers, ...args: unknown[]): unknown {
    headersChange();
    return native.apply(this, args);
  };
}

function clone(this: Response): Response {
  const copy = nativeClone.call(this) as Response;
  copyMark(this, copy);
  copyDecoded(this, copy);
  return copy;
}

/** The arguments are the native function's to judge. */
async function fetchAndMark(...args: readonly unknown[]): Promise<Response> {
  const response: Response = await Reflect.apply(nativeFetch, undefined, args);
  const init = args[1] as BunFetchRequestInit | undefined;
  return init?.decompress === false ? response : markDecoded(response);
}

/** The arguments are the native function's to judge. */
function file(...args: readonly unknown[]): Bun.BunFile {
  const made: Bun.BunFile = Reflect.apply(nativeFile, Bun, args);
  markFile(made);
  return made;
}

function slice(this: Blob, ...args: Parameters<Blob["slice"]>): Blob {
  if (filePath(this) === null) return Reflect.apply(nativeSlice, this, args);
  // From the end of a file whose size Bun hasn't asked for yet, it would count from infinity.
  if (Number(args[0]) < 0 || Number(args[1]) < 0) void this.size;
  const part = Reflect.apply(nativeSlice, this, args);
  markSlice(this, part, args[0]);
  return part;
}

/** Throws the native TypeError. */
function callWithoutNew(native: unknown): never {
  Reflect.apply(native as () => never, undefined, []);
  throw new TypeError("Constructor cannot be invoked without 'new'");
}

function replaceGlobal(name: string, native: { prototype: object }, wrapped: object): void {
  for (const key of Reflect.ownKeys(native)) {
    const property = Reflect.getOwnPropertyDescriptor(native, key);
    if (property !== undefined) Reflect.defineProperty(wrapped, key, property);
  }
  Reflect.set(wrapped, "prototype", native.prototype);
  Reflect.defineProperty(wrapped, "prototype", { writable: false });
  Reflect.defineProperty(native.prototype, "constructor", { value: wrapped });
  Reflect.set(globalThis, name, wrapped);
}

function replaceMethod(owner: object, name: string, method: object): void {
  const native: unknown = Reflect.get(owner, name);
  if (typeof native === "function") {
    Object.defineProperty(method, "length", { value: native.length });
    Object.defineProperty(method, "name", { value: native.name });
  }
  Reflect.set(owner, name, method);
}
