import { leave, obey } from "./orders.js";

Bun.serve({
  port: process.env.PORT,
  fetch(request, server) {
    const isHere = new URL(request.url).pathname === "/ws";
    if (isHere && server.upgrade(request)) return;
    return new Response("plain");
  },
  websocket: {
    open: (ws) => ws.subscribe("room"),
    close: (ws, code, reason) => leave(code, reason),
    message(ws, message) {
      obey(message, {
        send: (data) => ws.send(data),
        close: (...args) => ws.close(...args),
        toOthers: (text) => ws.publish("room", text),
      });
    },
  },
});
