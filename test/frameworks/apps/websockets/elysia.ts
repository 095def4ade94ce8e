import { Elysia } from "elysia";
import { leave, obey } from "./orders.js";

new Elysia()
  .get("/plain", () => "plain")
  .ws("/ws", {
    open(ws) {
      // What it answers would be sent.
      ws.subscribe("room");
    },
    close: (ws, code, reason) => leave(code, reason),
    message(ws, message) {
      obey(message, {
        send: (data) => ws.send(data),
        close: (...args) => ws.close(...args),
        toOthers: (text) => ws.publish("room", text),
      });
    },
  })
  .listen(process.env.PORT);
