import { Elysia } from "elysia";
import { obey, welcome } from "./orders.js";

new Elysia()
  .get("/plain", () => "plain")
  .ws("/ws", {
    open(ws) {
      ws.subscribe("room");
      ws.send(welcome());
    },
    message(ws, message) {
      obey(message, {
        send: (data) => ws.send(data),
        close: (...args) => ws.close(...args),
        toOthers: (text) => ws.publish("room", text),
      });
    },
  })
  .listen(process.env.PORT);
