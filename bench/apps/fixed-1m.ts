const body = Buffer.alloc(1_048_576, "x");

export function fetch(): Response {
  return new Response(body);
}
