/** `/SIZE` is answered with so many bytes; a POST is read whole. */
const bodies = new Map<string, Uint8Array<ArrayBuffer>>();

function bodyOf(path: string): Uint8Array<ArrayBuffer> {
  const known = bodies.get(path);
  if (known !== undefined) return known;
  const made = new Uint8Array(Number(path.slice(1))).fill(120);
  bodies.set(path, made);
  return made;
}

export async function fetch(request: Request): Promise<Response> {
  if (request.method === "POST") {
    const { byteLength } = await request.bytes();
    return new Response(`${byteLength}\n`);
  }
  const { url } = request;
  return new Response(bodyOf(url.slice(url.indexOf("/", 8))));
}
