import polka from "polka";
import sirv from "sirv";
import { leave, measured, sse, stream } from "./shared/node-parts.js";
import { large, left, publicFolder } from "./shared/parts.js";

polka()
  .use(sirv(publicFolder, { dev: true, etag: true }))
  .get("/query", (req, res) => res.end(JSON.stringify(req.query)))
  .get("/stream", stream)
  .get("/sse", sse)
  .get("/cookies", (req, res) => {
    res.setHeader("Set-Cookie", ["a=1", "b=2"]);
    res.end(req.headers.cookie);
  })
  .get("/redirect", (req, res) => res.writeHead(302, { Location: "/query" }).end())
  .get("/throw", (req, res, next) => next(new Error("on purpose")))
  .get("/large", (req, res) => res.end(large))
  .post("/large", async (req, res) => res.end(JSON.stringify(await measured(req))))
  .get("/address", (req, res) => res.end(req.socket.remoteAddress))
  .get("/leave", leave)
  .get("/left", (req, res) => res.end(String(left.count)))
  .listen(process.env.PORT);
