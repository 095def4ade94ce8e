/**
 * Direct streams, a kind of Bun's own. Whoever takes the whole body calls pull() once, and the stream ends with its
 * promise. For a reader, pull() is a demand, and comes again for each read (bun-types/docs/runtime/streams.mdx, "Ending
 * the stream"). The pump takes the whole body, but has a reader: it says beforehand which of the two it is.
 */

/** The native class, taken before a worker replaces the global. */
export const NativeReadableStream = ReadableStream;

interface Controller {
  close(): void;
}

/** The source that Bun sees, in front of the app's own. */
class DirectSource {
  readonly type = "direct";
  readonly pull: unknown;
  readonly cancel: unknown;
  /** A method that isn't documented, but is called. */
  readonly close: unknown;
  whole = false;

  constructor(source: object) {
    const pull = bound(source, "pull");
    // Bun judges what isn't a function.
    this.pull =
      typeof pull === "function" ? (controller: Controller) => this.#pull(pull, controller) : pull;
    this.cancel = bound(source, "cancel");
    this.close = bound(source, "close");
  }

  #pull(pull: Function, controller: Controller): unknown {
    const result: unknown = pull(controller);
    if (!this.whole) return result;
    if (result instanceof Promise) return result.then(() => controller.close());
    // Open until the app closes it. Bun doesn't call again before a promise has settled.
    return new Promise(() => {});
  }
}

const sources = new WeakMap<ReadableStream, DirectSource>();

/** `new ReadableStream(source, strategy)`, by whatever constructor. */
export function makeStream(source: unknown, strategy: unknown, target: Function): ReadableStream {
  if (typeof source !== "object" || source === null || Reflect.get(source, "type") !== "direct") {
    return target === NativeReadableStream
      ? new NativeReadableStream(source as never, strategy as never)
      : Reflect.construct(NativeReadableStream, [source, strategy], target);
  }
  const direct = new DirectSource(source);
  const stream = Reflect.construct(NativeReadableStream, [direct, strategy], target);
  sources.set(stream, direct);
  return stream;
}

/** The caller reads `stream` to its end, as a body. To be called before getReader(). */
export function takeWhole(stream: ReadableStream): void {
  const source = sources.get(stream);
  if (source !== undefined) source.whole = true;
}

function bound(source: object, name: string): unknown {
  const value: unknown = Reflect.get(source, name);
  return typeof value === "function" ? value.bind(source) : value;
}
