/** Elysia's app; it is exported or it listens. */
import { Elysia, file, redirect, sse, t } from "elysia";
import { file as path, large, left, measure, sha256, text, waiting, wordByWord } from "./parts.js";

export const createApp = () =>
  new Elysia()
    .get("/query", ({ query }) => ({ query }))
    .post("/json", ({ body }) => ({ body }), {
      body: t.Object({ text: t.String() }, { additionalProperties: true }),
    })
    .post("/form", ({ body }) => ({ body }))
    .post(
      "/upload",
      async ({ body: { note, file } }) => {
        const { name, type, size } = file;
        return { note, name, type, size, sha256: sha256(await file.bytes()) };
      },
      { body: t.Object({ note: t.String(), file: t.File() }) },
    )
    .get("/stream", async function* () {
      yield* wordByWord();
    })
    .get("/sse", async function* () {
      for await (const data of wordByWord((word) => word)) yield sse({ event: "word", data });
    })
    .get("/cookies", ({ cookie: { a, b, one } }) => {
      a.value = "1";
      b.set({ value: "2", httpOnly: true });
      return one.value;
    })
    .get("/redirect", () => redirect("/query?a=redirected"))
    .get("/throw", () => {
      throw new Error("on purpose");
    })
    .get("/large", () => new Response(large))
    .post("/large", ({ request }) => measure(request.body), { parse: "none" })
    .get("/file.txt", () => file(path))
    .get("/address", ({ server, request }) => server.requestIP(request).address)
    .get("/leave", ({ request }) => new Response(waiting(request.signal)))
    .get("/left", () => left.count)
    .get("/text", () => text);
