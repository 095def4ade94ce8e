/** Fastify: it listens by itself. In a worker its port isn't opened. `gunicorn-ts -w 2 fastify.ts` */
import Fastify from "fastify";

const app = Fastify();

app.get("/", async () => "Hello Fastify");
app.post("/echo", async (request) => request.body);

await app.listen({ port: 3000 });
