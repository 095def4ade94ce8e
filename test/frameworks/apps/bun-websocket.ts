import { upgrade, websocket } from "./shared/bun-websocket.js";

export default {
  fetch(request, server) {
    if (new URL(request.url).pathname === "/ws") return upgrade(request, server);
    return new Response("not here", { status: 404 });
  },
  websocket,
};
