/** Bodies that are there at once: text, bytes, blobs, files, forms, JSON. */
import type { SuiteRow } from "./rows.ts";

const kib = 1024;
const digits = Uint8Array.from("0123456789", (digit) => digit.charCodeAt(0));

/** What Bun.serve's types don't allow, but an app may do. */
export const odd = (body: unknown) => new Response(body as never);

function form(): FormData {
  const data = new FormData();
  data.set("name", "a value");
  data.set("file", new File(["contents"], "file.txt", { type: "text/plain" }));
  return data;
}

export const texts: readonly SuiteRow[] = [
  ["no argument", () => new Response()],
  ["null", () => new Response(null)],
  ["undefined", () => new Response(undefined)],
  ["an empty string", () => new Response("")],
  ["ASCII text", () => new Response("hello")],
  ["Latin-1 text", () => new Response("caf\u00e9")],
  ["astral text", () => new Response("a \u{1f600} b")],
  ["a lone surrogate", () => new Response("a \ud83d b")],
  ["a text of 100 KiB", () => new Response("0123456789".repeat(10 * kib))],
  ["a text of 100 KiB beyond ASCII", () => new Response("\u00e9\u20ac".repeat(20 * kib))],
  ["a promise of text", async () => new Response(await Promise.resolve("later"))],
  [
    "text after a turn",
    async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return new Response("much later");
    },
  ],
  ["a number", () => odd(42)],
  ["NaN", () => odd(NaN)],
  ["a boolean", () => odd(false)],
  ["a bigint", () => odd(2n ** 70n)],
  ["a symbol", () => odd(Symbol("s"))],
  ["a String object", () => odd(Object("boxed"))],
  ["an object with toString", () => odd({ toString: () => "named" })],
  ["an array", () => odd(["a", "b"])],
];

export const bytes: readonly SuiteRow[] = [
  ["a Uint8Array", () => new Response(Uint8Array.of(0, 1, 127, 128, 255))],
  ["an empty Uint8Array", () => new Response(new Uint8Array(0))],
  ["a subarray", () => new Response(digits.subarray(2, 5))],
  ["a Uint16Array", () => new Response(Uint16Array.of(0x3130, 0x3332))],
  ["a DataView of a part", () => new Response(new DataView(digits.buffer, 3, 4))],
  ["an ArrayBuffer", () => new Response(Uint8Array.of(9, 8, 7).buffer)],
  ["an empty ArrayBuffer", () => new Response(new ArrayBuffer(0))],
  ["a resizable ArrayBuffer", () => odd(new ArrayBuffer(4, { maxByteLength: 16 }))],
  ["a SharedArrayBuffer", () => odd(new SharedArrayBuffer(4))],
  ["a view of a SharedArrayBuffer", () => odd(new Uint8Array(new SharedArrayBuffer(4), 1, 2))],
  ["a Buffer", () => new Response(Buffer.from("a buffer"))],
  ["a slice of a Buffer", () => new Response(Buffer.from("a longer buffer").subarray(2, 8))],
  ["300 KiB of bytes", () => new Response(new Uint8Array(300 * kib).fill(7))],
  [
    "bytes that change after the Response is made",
    () => {
      const changing = Uint8Array.of(97, 98, 99);
      const response = new Response(changing);
      changing.fill(122);
      return response;
    },
  ],
];

const blob = (type?: string) =>
  new Blob(["a ", Uint8Array.of(98), "lob"], type === undefined ? {} : { type });

export const blobs: readonly SuiteRow[] = [
  ["a Blob", () => new Response(blob())],
  ["a Blob with a type", () => new Response(blob("text/x-blob"))],
  ["a Blob with a type in upper case", () => new Response(blob("Text/HTML"))],
  ["a Blob with the type of HTML", () => new Response(blob("text/html"))],
  ["a Blob of text", () => new Response(new Blob(["all of it is text"]))],
  ["an empty Blob", () => new Response(new Blob([]))],
  ["an empty Blob with a type", () => new Response(new Blob([], { type: "text/x-blob" }))],
  ["a slice of a Blob", () => new Response(blob("text/x-blob").slice(2, 4))],
  ["a slice of a Blob with a type", () => new Response(blob().slice(0, 3, "text/x-part"))],
  ["a Blob of 300 KiB", () => new Response(new Blob([new Uint8Array(300 * kib).fill(8)]))],
  [
    "a Blob of 300 KiB with a type",
    () => new Response(new Blob(["x".repeat(300 * kib)], { type: "text/x-blob" })),
  ],
  ["a File", () => new Response(new File(["a file"], "a.txt"))],
  ["a File with a type", () => new Response(new File(["a file"], "a", { type: "text/x-file" }))],
  [
    "a Blob under a type of the app's own",
    () => new Response(blob("text/x-blob"), { headers: { "content-type": "text/x-own" } }),
  ],
];

/** As apps give a Blob a name for its download. */
const named = (blob: Blob, name: string): Blob => Object.assign(blob, { name });

export const files: readonly SuiteRow[] = [
  ["a small file", () => new Response(Bun.file("small.txt"))],
  ["a small file of HTML", () => new Response(Bun.file("small.html"))],
  ["a small file without an extension", () => new Response(Bun.file("small"))],
  ["a file of 200,000 bytes", () => new Response(Bun.file("large.bin"))],
  ["an empty file", () => new Response(Bun.file("empty.txt"))],
  ["a file with a type", () => new Response(Bun.file("small.txt", { type: "text/x-file" }))],
  [
    "a file under a type of the app's own",
    () => new Response(Bun.file("small.txt"), { headers: { "content-type": "text/x-own" } }),
  ],
  ["a file with status 404", () => new Response(Bun.file("small.txt"), { status: 404 })],
  ["a slice of a file", () => new Response(Bun.file("small.txt").slice(2, 7))],
  ["a slice of a file to its end", () => new Response(Bun.file("small.txt").slice(7))],
  ["a slice of a file from its start", () => new Response(Bun.file("small.txt").slice(0, 3))],
  ["a slice that is all of a file", () => new Response(Bun.file("small.txt").slice(0))],
  [
    "a slice that is all of a slice",
    () => new Response(Bun.file("small.txt").slice(0, 5).slice(0)),
  ],
  ["a slice that is all of an empty file", () => new Response(Bun.file("empty.txt").slice(0, 5))],
  ["a slice of a slice of a file", () => new Response(Bun.file("small.txt").slice(2).slice(5))],
  ["a slice behind the end of a file", () => new Response(Bun.file("small.txt").slice(100, 200))],
  ["a slice of a file with a type", () => new Response(Bun.file("small").slice(0, 5, "text/x-p"))],
  ["a large slice of a file", () => new Response(Bun.file("large.bin").slice(1, 150_000))],
  [
    "a slice of a file with status 201",
    () => new Response(Bun.file("small.txt").slice(2, 7), { status: 201 }),
  ],
  [
    "a slice of a file with a Content-Range of the app's own",
    () =>
      new Response(Bun.file("small.txt").slice(2, 7), {
        status: 206,
        headers: { "content-range": "bytes 2-6/13" },
      }),
  ],
  [
    "a file with a wrong Content-Length",
    () => new Response(Bun.file("small.txt"), { headers: { "content-length": "5" } }),
  ],
  [
    "a file of 200,000 bytes with a Content-Disposition of the app's own",
    () => new Response(Bun.file("large.bin"), { headers: { "content-disposition": "attachment" } }),
  ],
  [
    "a file of 200,000 bytes under a type of the app's own",
    () => new Response(Bun.file("large.bin"), { headers: { "content-type": "text/x-own" } }),
  ],
  ["a file with another name", () => new Response(named(Bun.file("small.txt"), "small.html"))],
  [
    "a slice of a file with another name",
    () => new Response(named(Bun.file("small.txt").slice(2, 7), "small.html")),
  ],
  ["a slice of a named file", () => new Response(named(Bun.file("small.txt"), "x").slice(2, 7))],
  ["a Blob made of a file", () => new Response(new Blob([Bun.file("small.txt")]))],
  [
    "a Blob with the name of a file",
    () => new Response(named(new Blob(["a blob"], { type: "text/x-blob" }), "small.txt")),
  ],
  [
    "a slice of a Blob with the name of a file",
    () => new Response(named(blob("text/x-blob"), "small.txt").slice(0, 3, "text/x-part")),
  ],
  ["a file of /proc", () => new Response(Bun.file("/proc/sys/kernel/ostype"))],
  ["a missing file", () => new Response(Bun.file("missing.txt"))],
  ["a directory", () => new Response(Bun.file("."))],
  ["the stream of a file", () => new Response(Bun.file("small.txt").stream())],
  ["the bytes of a file", async () => new Response(await Bun.file("small.txt").bytes())],
];

export const forms: readonly SuiteRow[] = [
  ["a FormData", () => new Response(form())],
  ["an empty FormData", () => new Response(new FormData())],
  ["a URLSearchParams", () => new Response(new URLSearchParams({ a: "1", b: "x y&\u00e9" }))],
  ["an empty URLSearchParams", () => new Response(new URLSearchParams())],
  ["Response.json()", () => Response.json({ text: "\u00e9\u{1f600}", list: [1, null] })],
  ["Response.json() of a string", () => Response.json("text")],
  ["Response.json() of null", () => Response.json(null)],
  ["Response.json() of undefined", () => Response.json(undefined)],
  ["Response.json() with a status", () => Response.json({ a: 1 }, { status: 201 })],
  ["Response.json() with a status as its init", () => Response.json({ a: 1 }, 422 as never)],
  [
    "Response.json() with a type of its own",
    () => Response.json({ a: 1 }, { headers: { "content-type": "application/problem+json" } }),
  ],
  ["Response.json() of a circle", () => Response.json(circle())],
];

function circle(): object {
  const round: Record<string, unknown> = {};
  round["self"] = round;
  return round;
}
