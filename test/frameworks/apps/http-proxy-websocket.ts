import { createServer } from "node:http";
import httpProxy from "http-proxy";
import { WebSocketServer } from "ws";
import { listener } from "./shared/node-listener.js";
import { talk } from "./shared/ws-handlers.js";

const behind = createServer(listener);
const sockets = new WebSocketServer({ server: behind, path: "/ws" });
sockets.on("connection", talk(sockets));
behind.listen(0, "127.0.0.1", () => {
  const target = `http://127.0.0.1:${behind.address().port}`;
  const proxy = httpProxy.createProxyServer({ target, ws: true });
  proxy.on("error", () => {});
  const server = createServer((req, res) => proxy.web(req, res));
  server.on("upgrade", (req, socket, head) => proxy.ws(req, socket, head));
  server.listen(process.env.PORT);
});
