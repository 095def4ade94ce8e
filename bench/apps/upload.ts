export async function fetch(request: Request): Promise<Response> {
  const bytes = await request.bytes();
  return new Response(`${bytes.byteLength}\n`);
}
