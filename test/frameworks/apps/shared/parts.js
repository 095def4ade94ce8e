/** What all apps do, and no framework has a word for. */
import { join } from "node:path";

export const port = Number(process.env.PORT ?? 3000);

export const large = Buffer.alloc(5 * 1024 * 1024, "0123456789abcdef");
export const text = "This text is long enough to be compressed. ".repeat(100);
export const file = join(import.meta.dirname, "file.txt");
export const publicFolder = import.meta.dirname;

/** The length and hash of a body that comes in pieces. */
export async function measure(body) {
  const hash = new Bun.CryptoHasher("sha256");
  let bytes = 0;
  for await (const piece of body ?? []) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

export const sha256 = (bytes) => Bun.SHA256.hash(bytes, "hex");

/** What has come with a form of a note and a file. */
export async function uploaded(form) {
  const { name, type, size } = form.get("file");
  const bytes = await form.get("file").bytes();
  return { note: form.get("note"), name, type, size, sha256: sha256(bytes) };
}

const words = ["one", "two", "three"];

/** Words, each in a turn of its own. */
export async function* wordByWord(line = (word) => `${word}\n`) {
  for (const word of words) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield line(word);
  }
}

export const events = () => wordByWord((word) => `event: word\ndata: ${word}\n\n`);

export const encoded = (pieces) => ReadableStream.from(pieces).pipeThrough(new TextEncoderStream());

/** Clients that have left before their answer was out. */
export const left = { count: 0 };

/** The answer to /leave: it goes on until the client has left. */
export function waiting(signal) {
  let timer;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("waiting\n"));
      timer = setInterval(() => controller.enqueue(new TextEncoder().encode(".\n")), 50);
      signal.addEventListener("abort", () => {
        clearInterval(timer);
        left.count += 1;
      });
    },
    cancel() {
      clearInterval(timer);
    },
  });
}
