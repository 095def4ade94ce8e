import { serve } from "bun";
import { handle } from "./shared/fetch-handler.js";
import { file, text } from "./shared/parts.js";

const server = serve({
  port: process.env.PORT,
  routes: {
    "/query": {
      GET: (request) =>
        Response.json({ route: true, query: [...new URL(request.url).searchParams] }),
    },
    "/text": new Response(text),
    "/file.txt": Bun.file(file),
    "/json": { POST: async (request) => Response.json({ body: await request.json() }) },
    "/redirect": Response.redirect("/query?a=redirected"),
    "/missing/:page": (request) => new Response(`no ${request.params.page}`, { status: 404 }),
  },
  fetch: (request) => handle(request, server.requestIP(request).address),
});
