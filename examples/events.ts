/**
 * Server-sent events without an end: the time, each second, to whoever listens.
 *
 *     gunicorn-ts -w 2 events.ts
 *     curl -N http://127.0.0.1:8000/events
 */
const everyMs = 1000;

const page = `<!doctype html><title>Events</title><p id=time></p>
<script>new EventSource("/events").onmessage = ({ data }) => (time.textContent = data)</script>
`;

/** Of this worker. */
let listeners = 0;

export function fetch(request: Request): Response {
  switch (new URL(request.url).pathname) {
    case "/events":
      return new Response(times(), {
        headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
      });
    case "/listeners":
      return Response.json({ listeners });
    default:
      return new Response(page, { headers: { "content-type": "text/html" } });
  }
}

/** The engine asks for the next piece when the client takes it, and ends the generator when the client has left. */
async function* times(): AsyncGenerator<string> {
  listeners += 1;
  try {
    for (;;) {
      yield `data: ${new Date().toISOString()}\n\n`;
      await Bun.sleep(everyMs);
    }
  } finally {
    listeners -= 1;
  }
}
