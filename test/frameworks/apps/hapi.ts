import { Readable, PassThrough } from "node:stream";
import Hapi from "@hapi/hapi";
import { measured } from "./shared/node-parts.js";
import { events, large, left, sha256, text, wordByWord } from "./shared/parts.js";

const server = Hapi.server({
  port: process.env.PORT,
  routes: { log: { collect: false } },
  debug: false,
});
const route = (method, path, handler, options = {}) =>
  server.route({ method, path, handler, options });

route("GET", "/query", ({ query }) => ({ query }));
route("POST", "/json", ({ payload }) => ({ payload }));
route("POST", "/form", ({ payload }) => ({ payload }));
route(
  "POST",
  "/upload",
  ({ payload: { note, file } }) => ({ note, size: file.length, sha256: sha256(file) }),
  { payload: { multipart: { output: "data" } } },
);
const stream = (pieces) => Readable.from(pieces, { objectMode: false });
route("GET", "/stream", (request, h) => h.response(stream(wordByWord())).type("text/plain"));
route("GET", "/sse", (request, h) => h.response(stream(events())).type("text/event-stream"));
route("GET", "/cookies", (request, h) => {
  const options = { isSecure: false, isSameSite: false };
  return h.response(request.state).state("a", "1", options).state("b", "2", options);
});
route("GET", "/redirect", (request, h) => h.redirect("/query?a=redirected"));
route("GET", "/throw", () => {
  throw new Error("on purpose");
});
route("GET", "/large", () => large);
route("POST", "/large", ({ payload }) => measured(payload), {
  payload: { output: "stream", parse: false, maxBytes: 10_000_000 },
});
route("GET", "/address", ({ info }) => info.remoteAddress);
route("GET", "/leave", (request, h) => {
  const out = new PassThrough();
  out.write("waiting\n");
  const timer = setInterval(() => out.write(".\n"), 50);
  request.raw.res.on("close", () => {
    clearInterval(timer);
    left.count += 1;
  });
  return h.response(out);
});
route("GET", "/left", () => String(left.count));
route("GET", "/text", () => text);

await server.start();
