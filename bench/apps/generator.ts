/** 16 chunks of 4 KiB. */
const chunk = Buffer.alloc(4096, "x");

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let left = 16; left > 0; left--) yield chunk;
}

export function fetch(): Response {
  return new Response(chunks());
}
