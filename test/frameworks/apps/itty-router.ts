import { AutoRouter, cors, createResponse, error, json, text as asText } from "itty-router";
import { encoded, events, large, measure, text, wordByWord } from "./shared/parts.js";

const { preflight, corsify } = cors();
const router = AutoRouter({ before: [preflight], finally: [corsify] });
const eventStream = createResponse("text/event-stream");

router
  .get("/query", ({ query }) => ({ query }))
  .post("/json", async (request) => ({ body: await request.json() }))
  .post("/form", async (request) => ({ form: Object.fromEntries(await request.formData()) }))
  .get("/stream", () => new Response(encoded(wordByWord())))
  .get("/sse", () => eventStream(encoded(events())))
  .get("/cookies", ({ headers }) => {
    const response = asText(headers.get("cookie"));
    response.headers.append("Set-Cookie", "a=1");
    response.headers.append("Set-Cookie", "b=2");
    return response;
  })
  .get("/redirect", () => new Response(null, { status: 302, headers: { Location: "/query" } }))
  .get("/throw", () => {
    throw new Error("on purpose");
  })
  .get("/forbidden", () => error(403, "not you"))
  .get("/large", () => new Response(large))
  .post("/large", async ({ body }) => json(await measure(body)))
  .get("/address", (request, server) => typeof server.requestIP)
  .get("/text", () => text);

export default router;

// Bun takes a default export that has fetch, but not a Proxy: it has a stop too, as a running server.
if (import.meta.main) Bun.serve({ port: process.env.PORT, fetch: router.fetch });
