/** The other side of each comparison: `bun bare.ts APP PORT` serves the same app with a bare Bun.serve. */
const [, , app = "", port = ""] = process.argv;
const { fetch } = (await import(app)) as { fetch(request: Request): Response | Promise<Response> };

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  development: false,
  // Its longest: idle connections are counted, not cut.
  idleTimeout: 255,
  fetch: (request) => fetch(request),
});
