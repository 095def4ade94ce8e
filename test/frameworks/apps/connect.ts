import { createServer } from "node:http";
import compression from "compression";
import connect from "connect";
import serveStatic from "serve-static";
import { upload } from "./shared/node-listener.js";
import { leave, measured, sse, stream } from "./shared/node-parts.js";
import { large, left, publicFolder, text } from "./shared/parts.js";

const app = connect();
app.use(compression());
app.use(serveStatic(publicFolder));
app.use("/upload", (req, res) => upload(req, (got) => res.end(JSON.stringify(got))));
app.use("/stream", stream);
app.use("/sse", sse);
app.use("/cookies", (req, res) => {
  res.setHeader("Set-Cookie", ["a=1", "b=2"]);
  res.end(req.headers.cookie);
});
app.use("/redirect", (req, res) => res.writeHead(302, { Location: "/query" }).end());
app.use("/throw", () => {
  throw new Error("on purpose");
});
app.use("/large", async (req, res) => {
  if (req.method === "POST") return res.end(JSON.stringify(await measured(req)));
  res.end(large);
});
app.use("/query", (req, res) => res.end(decodeURIComponent(req.url)));
app.use("/address", (req, res) => res.end(req.socket.remoteAddress));
app.use("/leave", leave);
app.use("/left", (req, res) => res.end(String(left.count)));
app.use("/text", (req, res) => {
  res.setHeader("Content-Type", "text/plain");
  res.end(text);
});

export default app;

if (import.meta.main) createServer(app).listen(process.env.PORT);
