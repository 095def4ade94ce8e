import { createServer } from "node:http";
import express from "express";
import { WebSocketServer } from "ws";
import { talk } from "./shared/ws-handlers.js";

const app = express();
app.get("/query", (req, res) => res.json(req.query));
const server = createServer(app);
const sockets = new WebSocketServer({ noServer: true });
sockets.on("connection", talk(sockets));
server.on("upgrade", (request, socket, head) => {
  if (request.url !== "/ws") return socket.destroy();
  sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit("connection", ws, request));
});

export default server;

if (import.meta.main) server.listen(process.env.PORT);
