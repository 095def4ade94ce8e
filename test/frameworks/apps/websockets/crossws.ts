import crossws from "crossws/adapters/bun";
import { leave, obey } from "./orders.js";

const ws = crossws({
  hooks: {
    open: (peer) => peer.subscribe("room"),
    close: (peer, { code, reason }) => leave(code, reason),
    message(peer, message) {
      const data = typeof message.rawData === "string" ? message.text() : message.uint8Array();
      obey(data, {
        send: (data) => peer.send(data),
        close: (...args) => peer.close(...args),
        toOthers: (text) => peer.publish("room", text),
      });
    },
  },
});

Bun.serve({
  port: process.env.PORT,
  websocket: ws.websocket,
  fetch(request, server) {
    if (request.headers.get("upgrade") === "websocket") return ws.handleUpgrade(request, server);
    return new Response("plain");
  },
});
