const body = Buffer.alloc(65_536, "x");

export function fetch(): Response {
  return new Response(body);
}
