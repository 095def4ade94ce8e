/** Bodies that come piece by piece. */
import { odd } from "./bodies.ts";
import type { SuiteRow } from "./rows.ts";

export const encoder = new TextEncoder();
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Each chunk in its own turn; what isn't text or bytes is thrown. */
export function slow(...chunks: readonly (string | Uint8Array | Error)[]): ReadableStream {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await turn();
      const chunk = chunks[at++];
      if (chunk === undefined) controller.close();
      else if (chunk instanceof Error) throw chunk;
      else controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
    },
  });
}

export function ready(...chunks: readonly unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

const withLength = (length: string) => ({ headers: { "content-length": length } });

interface DirectController {
  write(chunk: string | Uint8Array): unknown;
  flush(): void;
  end(): void;
  close(): void;
}

function direct(pull: (controller: DirectController) => unknown, init?: ResponseInit): Response {
  return new Response(new ReadableStream({ type: "direct", pull } as never), init);
}

class DirectSource {
  readonly type = "direct";
  readonly #text = "private";

  async pull(controller: DirectController): Promise<void> {
    await turn();
    controller.write(this.#text);
  }
}

async function* pieces(): AsyncGenerator<string | Uint8Array> {
  yield "one ";
  await turn();
  yield encoder.encode("two ");
  yield "three";
}

export const streams: readonly SuiteRow[] = [
  [
    "a stream that is ready",
    () => new Response(ready(encoder.encode("one"), encoder.encode("two"))),
  ],
  ["a stream that takes time", () => new Response(slow("one", "two", "three"))],
  ["an empty stream", () => new Response(ready())],
  ["an empty stream that takes time", () => new Response(slow())],
  ["a stream with an empty chunk", () => new Response(slow("one", new Uint8Array(0), "two"))],
  ["a stream of text", () => new Response(ready("caf\u00e9", " and more"))],
  [
    "a stream of buffers and views",
    () => odd(ready(new ArrayBuffer(2), new DataView(new ArrayBuffer(3), 1))),
  ],
  ["a stream of numbers", () => odd(ready(1, 2))],
  [
    "a stream of 300 KiB",
    () => new Response(slow(...Array.from({ length: 5 }, () => "x".repeat(61_440)))),
  ],
  [
    "a stream with a type",
    () => new Response(slow("<p>"), { headers: { "content-type": "text/html" } }),
  ],
  [
    "a stream of type bytes",
    () =>
      new Response(
        new ReadableStream({
          type: "bytes",
          async pull(controller) {
            await turn();
            controller.enqueue(encoder.encode("bytes"));
            controller.close();
          },
        }),
      ),
  ],
  [
    "a direct stream",
    () =>
      direct((controller) => {
        controller.write("direct ");
        controller.write(encoder.encode("bytes"));
        controller.end();
      }),
  ],
  [
    "a direct stream that takes time",
    () =>
      direct(async (controller) => {
        controller.write("one ");
        controller.flush();
        await turn();
        controller.write("two");
        controller.end();
      }),
  ],
  [
    "a direct stream that is closed",
    () =>
      direct((controller) => {
        controller.write("closed");
        controller.close();
      }),
  ],
  [
    "a direct stream that ends with its promise",
    () =>
      direct(async (controller) => {
        controller.write("one ");
        await turn();
        controller.write("two");
      }),
  ],
  [
    "a direct stream that flushes and ends with its promise",
    () =>
      direct(async (controller) => {
        for (const chunk of ["one ", "two ", "three"]) {
          controller.write(chunk);
          controller.flush();
          await turn();
        }
      }),
  ],
  ["a direct stream that writes nothing", () => direct(async () => await turn())],
  [
    "a direct stream whose controller is kept",
    () =>
      direct((controller) => {
        controller.write("one ");
        setTimeout(() => {
          controller.write("two");
          controller.end();
        }, 10);
      }),
  ],
  [
    "a direct stream of 2 MB",
    () =>
      direct(async (controller) => {
        for (let count = 0; count < 20; count++) await controller.write("x".repeat(100_000));
      }),
  ],
  ["a direct stream whose source is a class", () => odd(new ReadableStream(new DirectSource()))],
  [
    "a direct stream with its Content-Length",
    () =>
      direct(async (controller) => {
        controller.write("one ");
        await turn();
        controller.write("two");
      }, withLength("7")),
  ],
  [
    "a direct stream that throws at once",
    () =>
      direct(() => {
        throw new Error("before the first write");
      }),
  ],
  [
    "a direct stream that throws after a write",
    () =>
      direct((controller) => {
        controller.write("one");
        throw new Error("after a write");
      }),
  ],
  [
    "a direct stream that fails after a write",
    () =>
      direct(async (controller) => {
        controller.write("one");
        await turn();
        throw new Error("after a write");
      }),
  ],
  [
    "a transformed stream",
    () => new Response(slow("one", "two").pipeThrough(new TransformStream())),
  ],
  [
    "a compressed stream",
    () =>
      new Response(slow("").pipeThrough(new CompressionStream("gzip")), {
        headers: { "content-encoding": "gzip" },
      }),
  ],
  ["an async generator", () => odd(pieces())],
  ["an async generator function", () => odd(pieces)],
  [
    "a generator",
    () =>
      odd(
        (function* () {
          yield "one ";
          yield "two";
        })(),
      ),
  ],
  ["an async iterable", () => odd({ [Symbol.asyncIterator]: pieces })],
  [
    "an async generator that throws at once",
    () =>
      odd(
        (async function* () {
          yield await Promise.reject(new Error("at once"));
        })(),
      ),
  ],
  [
    "an async generator that throws later",
    () =>
      odd(
        (async function* () {
          yield "one";
          await turn();
          throw new Error("later");
        })(),
      ),
  ],
  [
    "a stream that fails before its first chunk",
    () => new Response(slow("", "", "", new Error("before"))),
  ],
  [
    "a stream that fails when it is made",
    () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.error(new Error("made"));
          },
        }),
      ),
  ],
  [
    "a stream that fails after its first chunk",
    () => new Response(slow("one", new Error("after"))),
  ],
  ["a stream with its Content-Length", () => new Response(slow("one", "two"), withLength("6"))],
  [
    "a stream longer than its Content-Length",
    () => new Response(slow("one", "two"), withLength("4")),
  ],
  [
    "a stream shorter than its Content-Length",
    () => new Response(slow("one", "two"), withLength("10")),
  ],
  [
    "a stream whose Content-Length is no number",
    () => new Response(slow("one", "two"), withLength("six")),
  ],
  ["an empty stream with a Content-Length of 0", () => new Response(slow(), withLength("0"))],
  [
    "a stream with a Transfer-Encoding of the app's own",
    () => new Response(slow("one"), { headers: { "transfer-encoding": "chunked" } }),
  ],
];
