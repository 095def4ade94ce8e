import { Hono } from "hono";
import { upgradeWebSocket, websocket } from "hono/bun";
import { leave, obey } from "./orders.js";

const app = new Hono();
app.get("/plain", (c) => c.text("plain"));
app.get(
  "/ws",
  upgradeWebSocket(() => ({
    onOpen: (_event, ws) => ws.raw.subscribe("room"),
    onClose: ({ code, reason }) => leave(code, reason),
    onMessage({ data }, ws) {
      obey(data, {
        send: (data) => ws.send(data),
        close: (...args) => ws.close(...args),
        toOthers: (text) => ws.raw.publish("room", text),
      });
    },
  })),
);

export default { port: process.env.PORT, fetch: app.fetch, websocket };
