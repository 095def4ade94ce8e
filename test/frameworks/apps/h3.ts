import { readFile, stat } from "node:fs/promises";
import {
  createEventStream,
  getQuery,
  getRequestIP,
  H3,
  handleCors,
  HTTPError,
  parseCookies,
  readBody,
  redirect,
  serve,
  serveStatic,
  setCookie,
} from "h3";
import {
  encoded,
  file,
  large,
  left,
  measure,
  text,
  uploaded,
  waiting,
  wordByWord,
} from "./shared/parts.js";

const app = new H3();
app.all("/query", (event) => {
  const handled = handleCors(event, { origin: "*", methods: "*" });
  return handled !== false ? handled : { query: getQuery(event) };
});
app.post("/json", async (event) => ({ body: await readBody(event) }));
app.post("/form", async (event) => ({ form: await readBody(event) }));
app.post("/upload", async (event) => uploaded(await event.req.formData()));
app.get("/stream", () => encoded(wordByWord()));
app.get("/sse", (event) => {
  const out = createEventStream(event);
  void (async () => {
    for await (const data of wordByWord((word) => word)) await out.push({ event: "word", data });
    await out.close();
  })();
  return out.send();
});
app.get("/cookies", (event) => {
  setCookie(event, "a", "1");
  setCookie(event, "b", "2", { httpOnly: true });
  return { ...parseCookies(event) };
});
app.get("/redirect", () => redirect("/query?a=redirected"));
app.get("/throw", () => {
  throw new HTTPError({ status: 503, message: "on purpose", data: { of: "h3" } });
});
app.get("/large", () => large);
app.post("/large", (event) => measure(event.req.body));
app.get("/file.txt", (event) =>
  serveStatic(event, {
    getContents: () => readFile(file),
    getMeta: async () => {
      const { size, mtimeMs } = await stat(file);
      return { size, mtime: mtimeMs };
    },
  }),
);
app.get("/address", (event) => getRequestIP(event));
app.get("/leave", (event) => new Response(waiting(event.req.signal)));
app.get("/left", () => String(left.count));
app.get("/text", () => text);

serve(app, { port: process.env.PORT, silent: true });
