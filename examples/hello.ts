/** The app of `npm start`: `gunicorn-ts --chdir examples hello:fetch`. */

export function fetch(request: Request): Response {
  const { pathname } = new URL(request.url);
  switch (pathname) {
    case "/":
      return new Response("Hello, World!\n");
    case "/json":
      return Response.json({ hello: "world", worker: process.pid });
    case "/echo":
      // The body streams through: no part of it waits for the rest.
      return new Response(request.body, { headers: { "content-type": contentType(request) } });
    case "/events":
      return new Response(events(), { headers: { "content-type": "text/event-stream" } });
    default:
      return new Response("Not found\n", { status: 404 });
  }
}

export default { fetch };

function contentType(request: Request): string {
  return request.headers.get("content-type") ?? "application/octet-stream";
}

/** Five server-sent events, one per second. */
async function* events(): AsyncGenerator<string> {
  for (let count = 1; count <= 5; count++) {
    yield `data: ${count}\n\n`;
    await Bun.sleep(1000);
  }
}
