import websocket from "@fastify/websocket";
import Fastify from "fastify";
import { leave, obey } from "./orders.js";

const app = Fastify();
await app.register(websocket);
app.get("/plain", () => "plain");
app.get("/ws", { websocket: true }, (ws) => {
  ws.on("close", leave);
  ws.on("message", (data, isBinary) => {
    obey(isBinary ? data : String(data), {
      send: (data) => ws.send(data),
      close: (...args) => ws.close(...args),
      toOthers: (text) => {
        for (const other of app.websocketServer.clients) if (other !== ws) other.send(text);
      },
    });
  });
});
await app.listen({ port: process.env.PORT });
