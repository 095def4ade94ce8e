import { plugin as ws } from "crossws/server";
import { defineWebSocketHandler, H3, serve } from "h3";
import { leave, obey } from "./orders.js";

const app = new H3();
app.get("/plain", () => "plain");
app.get(
  "/ws",
  defineWebSocketHandler({
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
  }),
);

serve(app, {
  port: process.env.PORT,
  silent: true,
  plugins: [ws({ resolve: async (request) => (await app.fetch(request)).crossws })],
});
