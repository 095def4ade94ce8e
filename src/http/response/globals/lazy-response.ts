/**
 * An answer as status, field lines and body, which is a real Response as far as anybody can tell: nothing of
 * it is built until it is touched. A Response and its Headers cost more than the rest of a small answer (bench: express).
 */
import { hasNoBody, markBody, NativeResponse, untypedInit } from "./body.ts";
import type { StartOfHead } from "../head/head.ts";

/** What it is made from. */
export interface LazyAnswer extends StartOfHead {
  /** Names and values in turn, as they are to be sent; they are valid. */
  readonly fields: readonly string[];
  /** Nobody else changes it. Empty or null: there is none. */
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | null;
}

class LazyResponse {
  readonly #answer: LazyAnswer;
  #native: Response | null = null;

  constructor(answer: LazyAnswer) {
    this.#answer = answer;
  }

  static untouched(value: object): LazyAnswer | null {
    return #answer in value && value.#native === null ? value.#answer : null;
  }

  /** Itself, if it isn't one of these. */
  static native(value: object): Response {
    if (!(#answer in value)) return value as Response;
    value.#native ??= build(value.#answer, untyped);
    return value.#native;
  }
}

/** @param make is asked for bytes that the answer gives no type to */
function build(
  { status, statusText, fields, body }: LazyAnswer,
  make: (bytes: Uint8Array, init: ResponseInit) => Response,
): Response {
  const headers = new Headers();
  let isTyped = false;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    headers.append(name, fields[at + 1]!);
    isTyped ||= name.toLowerCase() === "content-type";
  }
  const init = { status, statusText, headers };
  if (body === null || status === 101 || hasNoBody(status)) return marked(null, init, null);
  if (body instanceof ReadableStream) return marked(body, init, body);
  if (body.length === 0) return marked(null, init, null);
  return isTyped ? marked(body, init, body) : make(Buffer.from(body as string), init);
}

/** The engine knows it by its mark. */
function untyped(bytes: Uint8Array, init: ResponseInit): Response {
  return marked(bytes, init, untypedInit);
}

/** Bun.serve gives a type to all bytes but those of a stream; of one that is there whole it tells the length. */
function streamed(bytes: Uint8Array, init: ResponseInit): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  // Whoever wants to know how long it is looks at the mark.
  return marked(body, init, bytes);
}

function marked(body: LazyAnswer["body"], init: ResponseInit, mark: unknown): Response {
  const response = new NativeResponse(body as Bun.BodyInit | null, init);
  markBody(response, mark);
  return response;
}

// Every property is the native one's, by way of the Response that is built then.
for (const name of Reflect.ownKeys(NativeResponse.prototype)) {
  const own = Reflect.getOwnPropertyDescriptor(NativeResponse.prototype, name)!;
  if (name === "constructor" || typeof name === "symbol") continue;
  const read = function (this: object): unknown {
    const native = LazyResponse.native(this);
    const value: unknown = Reflect.get(native, name, native);
    return typeof value === "function" ? value.bind(native) : value;
  };
  Object.defineProperty(LazyResponse.prototype, name, {
    get: read,
    enumerable: own.enumerable ?? false,
    configurable: true,
  });
}
Object.setPrototypeOf(LazyResponse.prototype, NativeResponse.prototype);
Reflect.deleteProperty(LazyResponse.prototype, "constructor");
Object.defineProperty(LazyResponse.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  configurable: true,
  value(this: object): Response {
    return LazyResponse.native(this);
  },
});

/** For the engine, which sends it without building it. */
export function lazyResponse(answer: LazyAnswer): Response {
  // It inherits from Response.prototype by now.
  return new LazyResponse(answer) as unknown as Response;
}

/** What it was made from; null if it isn't one, or somebody has touched and perhaps changed it. */
export function untouchedAnswer(response: Response): LazyAnswer | null {
  return LazyResponse.untouched(response);
}

/** The Response that Bun's own code takes. */
export function nativeResponse(response: Response): Response {
  return LazyResponse.native(response);
}

/** For Bun.serve, which takes nothing but its own class. Throws a RangeError for a status that it doesn't take. */
export function responseForServe(answer: LazyAnswer): Response {
  return build(answer, streamed);
}
