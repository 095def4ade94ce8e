import Koa from "koa";
import { large } from "./shared/parts.js";

const app = new Koa();
app.silent = true;
app.use(async (ctx, next) => {
  ctx.set("X-Before", "yes");
  await next();
});
app.use((ctx) => {
  if (ctx.path === "/query") ctx.body = { query: ctx.query };
  if (ctx.path === "/large") ctx.body = large;
  if (ctx.path === "/redirect") ctx.redirect("/query");
  if (ctx.path === "/address") ctx.body = ctx.ip;
  if (ctx.path === "/cookies") {
    ctx.cookies.set("a", "1");
    ctx.cookies.set("b", "2");
    ctx.status = 204;
  }
  if (ctx.path === "/throw") ctx.throw(503, "on purpose");
});

export default app;

if (import.meta.main) app.listen(process.env.PORT);
