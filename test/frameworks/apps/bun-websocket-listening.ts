import { upgrade, websocket } from "./shared/bun-websocket.js";

Bun.serve({
  port: process.env.PORT,
  routes: { "/ws": upgrade },
  fetch: () => new Response("not here", { status: 404 }),
  websocket: { ...websocket, perMessageDeflate: true },
});
