import { handle } from "./shared/fetch-handler.js";

const server = Bun.serve({
  port: process.env.PORT,
  fetch: (request) => handle(request, server.requestIP(request).address),
  error: (error) => new Response(`sorry: ${error.message}`, { status: 503 }),
});
if (!server.url.href.endsWith(`:${server.port}/`)) throw new Error("elsewhere");
