/** Hono: the app is exported. `gunicorn-ts -w 2 hono.ts` */
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

const app = new Hono();

app.get("/", (context) => context.text("Hello Hono!"));
app.post("/echo", async (context) => context.json(await context.req.json()));
app.get("/events", (context) =>
  streamSSE(context, async (stream) => {
    for (let id = 1; id <= 3; id += 1) await stream.writeSSE({ data: `${id}` });
  }),
);

export default app;
