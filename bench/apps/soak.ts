/**
 * For `soak --clients mixed`: `/memory/SIZE/SEED` and `/file/SIZE/SEED` are bytes that follow from the URL, `/events`
 * is a stream of numbers, and a POST is answered with the hash of what has come.
 */
import { mkdirSync, renameSync, existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { derivedBytes } from "../soak/derived.ts";

const folder = process.env["SOAK_FOLDER"] ?? join(tmpdir(), "gunicorn-ts-soak");
const eventMs = 100;

/** Made once, whole before it has its name: workers share the folder. */
function fileOf(size: number, seed: number): string {
  const path = join(folder, `${size}-${seed}`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, derivedBytes(size, seed));
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

function events(): ReadableStream<Uint8Array> {
  let timer: Timer | undefined;
  let number = 0;
  return new ReadableStream({
    start(controller) {
      const encoder = new TextEncoder();
      const send = () => controller.enqueue(encoder.encode(`data: ${number++}\n\n`));
      send();
      timer = setInterval(send, eventMs);
    },
    cancel: () => clearInterval(timer),
  });
}

export async function fetch(request: Request): Promise<Response> {
  if (request.method === "POST") {
    const hash = new Bun.CryptoHasher("sha1");
    for await (const piece of request.body ?? []) hash.update(piece);
    return new Response(hash.digest("hex"));
  }
  const [, kind, size, seed] = new URL(request.url).pathname.split("/");
  switch (kind) {
    case "memory":
      return new Response(derivedBytes(Number(size), Number(seed)));
    case "file":
      return new Response(Bun.file(fileOf(Number(size), Number(seed))));
    case "events":
      return new Response(events(), { headers: { "content-type": "text/event-stream" } });
    default:
      return new Response("ok");
  }
}
