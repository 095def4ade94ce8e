import { Readable } from "node:stream";
import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import multipart from "@fastify/multipart";
import fastifyStatic from "@fastify/static";
import Fastify from "fastify";
import { leave, measured } from "./shared/node-parts.js";
import { events, large, left, publicFolder, sha256, text, wordByWord } from "./shared/parts.js";

const app = Fastify({ trustProxy: "127.0.0.1", bodyLimit: 10_000_000 });
await app.register(cookie);
await app.register(formbody);
await app.register(multipart);
await app.register(fastifyStatic, { root: publicFolder });
app.addContentTypeParser("application/octet-stream", (request, payload, done) =>
  done(null, payload),
);
app.addContentTypeParser("*", (request, payload, done) => done(null, payload));

app.get("/query", async (request) => ({ query: request.query }));
app.post("/json", async (request) => ({ body: request.body }));
app.post("/form", async (request) => ({ form: request.body }));
app.post("/upload", async (request) => {
  const data = await request.file();
  const bytes = await data.toBuffer();
  const { filename, mimetype, fields } = data;
  return { note: fields.note.value, filename, mimetype, size: bytes.length, sha256: sha256(bytes) };
});
app.get("/stream", (request, reply) => reply.type("text/plain").send(Readable.from(wordByWord())));
app.get("/sse", (request, reply) => {
  return reply.type("text/event-stream").send(Readable.from(events()));
});
app.get("/cookies", async (request, reply) => {
  reply.setCookie("a", "1").setCookie("b", "2", { httpOnly: true });
  return request.cookies;
});
app.get("/redirect", (request, reply) => reply.redirect("/query?a=redirected"));
app.get("/throw", async () => {
  throw new Error("on purpose");
});
app.get("/large", (request, reply) => reply.send(large));
app.post("/large", async (request) => measured(request.body));
app.get("/address", async (request) => `${request.ip} ${request.protocol}`);
app.get("/leave", (request, reply) => {
  reply.hijack();
  leave(request.raw, reply.raw);
});
app.get("/left", async () => String(left.count));
app.get("/text", async () => text);

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
