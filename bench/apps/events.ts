/** `/events` is a stream of events, of which `/send` sends one to each. */
const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
const event = Buffer.from("data: an event\n\n");

function open(): Response {
  let own: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      own = controller;
      streams.add(own);
    },
    cancel: () => void streams.delete(own),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

export function fetch(request: Request): Response {
  if (request.url.endsWith("/events")) return open();
  if (request.url.endsWith("/send")) for (const stream of streams) stream.enqueue(event);
  return new Response("Hello, World!\n");
}
