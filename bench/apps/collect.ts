/** hello, and a path that collects garbage, so that memory can be compared. */
export function fetch(request: Request): Response {
  if (request.url.endsWith("/collect")) Bun.gc(true);
  return new Response("Hello, World!\n");
}
