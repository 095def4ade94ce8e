import { createReadStream } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import Router from "@koa/router";
import Koa from "koa";
import bodyParser from "koa-bodyparser";
import { measured } from "./shared/node-parts.js";
import { upload } from "./shared/node-listener.js";
import { events, file, large, left, text, wordByWord } from "./shared/parts.js";

const app = new Koa({ proxy: true });
app.silent = true;
const router = new Router();
router.get("/query", (ctx) => (ctx.body = { query: ctx.query }));
router.post("/json", bodyParser(), (ctx) => (ctx.body = { body: ctx.request.body }));
router.post("/form", bodyParser(), (ctx) => (ctx.body = { form: ctx.request.body }));
router.post("/upload", async (ctx) => {
  ctx.body = await new Promise((resolve) => upload(ctx.req, resolve));
});
router.get("/stream", (ctx) => {
  ctx.type = "text/plain";
  ctx.body = Readable.from(wordByWord());
});
router.get("/sse", (ctx) => {
  ctx.set("Cache-Control", "no-cache");
  ctx.type = "text/event-stream";
  ctx.body = Readable.from(events());
});
router.get("/cookies", (ctx) => {
  ctx.cookies.set("a", "1");
  ctx.cookies.set("b", "2");
  ctx.body = ctx.cookies.get("one");
});
router.get("/redirect", (ctx) => ctx.redirect("/query?a=redirected"));
router.get("/throw", () => {
  throw new Error("on purpose");
});
router.get("/large", (ctx) => (ctx.body = large));
router.post("/large", async (ctx) => (ctx.body = await measured(ctx.req)));
router.get("/file.txt", (ctx) => {
  ctx.type = "txt";
  ctx.body = createReadStream(file);
});
router.get("/address", (ctx) => (ctx.body = `${ctx.ip} ${ctx.protocol}`));
router.get("/leave", (ctx) => {
  const out = new PassThrough();
  out.write("waiting\n");
  const timer = setInterval(() => out.write(".\n"), 50);
  ctx.res.on("close", () => {
    clearInterval(timer);
    left.count += 1;
  });
  ctx.body = out;
});
router.get("/left", (ctx) => (ctx.body = String(left.count)));
router.get("/text", (ctx) => (ctx.body = text));
app.use(router.routes()).use(router.allowedMethods());

app.listen(process.env.PORT);
