/** The fields that an app behind a framework sets. */
export function fetch(): Response {
  return new Response("Hello, World!\n", {
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      vary: "accept-encoding",
    },
  });
}
