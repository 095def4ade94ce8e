/** Hono's app, given what depends on the runtime: where the client's address and files are found. */
import { Hono } from "hono";
import { compress } from "hono/compress";
import { getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { stream, streamSSE } from "hono/streaming";
import { large, left, measure, sha256, text, wordByWord } from "./parts.js";

export function createApp(getConnInfo, serveStatic) {
  const app = new Hono();
  app.use("/query", cors());
  app.get("/query", (c) => c.json({ query: c.req.queries() }));
  app.post("/json", async (c) => c.json({ body: await c.req.json() }));
  app.post("/form", async (c) => c.json({ form: await c.req.parseBody() }));
  app.post("/upload", async (c) => {
    const { note, file } = await c.req.parseBody();
    const { name, type, size } = file;
    return c.json({ note, name, type, size, sha256: sha256(await file.bytes()) });
  });
  app.get("/stream", (c) =>
    stream(c, async (out) => {
      for await (const word of wordByWord()) await out.write(word);
    }),
  );
  app.get("/sse", (c) =>
    streamSSE(c, async (out) => {
      for await (const data of wordByWord((word) => word)) await out.writeSSE({ data, id: "1" });
    }),
  );
  app.get("/cookies", (c) => {
    setCookie(c, "a", "1");
    setCookie(c, "b", "2", { httpOnly: true });
    return c.json(getCookie(c));
  });
  app.get("/redirect", (c) => c.redirect("/query?a=redirected"));
  app.get("/throw", () => {
    throw new Error("on purpose");
  });
  app.onError((error, c) => c.text(`sorry: ${error.message}`, 500));
  app.get("/large", (c) => c.body(large));
  app.post("/large", async (c) => c.json(await measure(c.req.raw.body)));
  app.get("/file.txt", serveStatic({ root: import.meta.dirname }));
  app.get("/address", (c) => c.text(getConnInfo(c).remote.address));
  app.get("/leave", (c) =>
    stream(c, async (out) => {
      out.onAbort(() => (left.count += 1));
      await out.write("waiting\n");
      while (!out.aborted) {
        await out.sleep(50);
        await out.write(".\n");
      }
    }),
  );
  app.get("/left", (c) => c.text(String(left.count)));
  app.get("/text", compress(), (c) => c.text(text));
  return app;
}
