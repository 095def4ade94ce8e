import fastify from "fastify";

const app = fastify();
app.get("/", () => Promise.resolve("hello"));
await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"]) });
