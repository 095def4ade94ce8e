import Fastify from "fastify";
import { large, text } from "./shared/parts.js";

const app = Fastify({ logger: false });
app.get("/query", async (request) => ({ query: request.query }));
app.post(
  "/json",
  { schema: { body: { type: "object", required: ["text"] } } },
  async ({ body }) => ({ body }),
);
app.get("/cookies", (request, reply) => {
  reply.header("set-cookie", ["a=1", "b=2"]).send(request.headers.cookie);
});
app.get("/redirect", (request, reply) => reply.redirect("/query"));
app.get("/throw", async () => {
  throw Object.assign(new Error("on purpose"), { statusCode: 503 });
});
app.get("/large", (request, reply) => reply.send(large));
app.get("/address", async (request) => request.ip);
app.get("/text", async () => new Response(text, { headers: { "x-from": "a Response" } }));

export default app;

if (import.meta.main) await app.listen({ port: Number(process.env.PORT) });
