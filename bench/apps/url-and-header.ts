/** Reads what most apps read, and nothing that costs more than the reading. */
export function fetch(request: Request): Response {
  return new Response(`${request.url} ${request.headers.get("accept-language")}\n`);
}
