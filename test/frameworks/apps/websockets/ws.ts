import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { leave, obey } from "./orders.js";

const server = createServer((_request, response) => response.end("plain"));
const sockets = new WebSocketServer({ server, path: "/ws" });
sockets.on("connection", (ws) => {
  ws.on("close", leave);
  ws.on("message", (data, isBinary) => {
    obey(isBinary ? data : String(data), {
      send: (data) => ws.send(data),
      close: (...args) => ws.close(...args),
      toOthers: (text) => {
        for (const other of sockets.clients) if (other !== ws) other.send(text);
      },
    });
  });
});
server.listen(process.env.PORT);
