/** Apps with websockets. */
import { websocketRows } from "./conversations.ts";
import type { FrameworkApp } from "./framework-app.ts";

const noWebsockets = "a websocket would keep the worker from all other requests";
const onlyAsync = {
  sync: noWebsockets,
  serve: "Bun.serve's connections can't be handed to an upgrade listener",
};

/** websockets.test.ts has those of more frameworks, with two workers and when a worker leaves. */
export const websocketApps: readonly FrameworkApp[] = [
  {
    name: "Bun.serve's websockets, exported",
    found: "export default { fetch, websocket }",
    file: "bun-websocket.ts",
    not: { sync: noWebsockets },
    rows: websocketRows,
  },
  {
    name: "Bun.serve's websockets, listening",
    found: "Bun.serve({ routes, websocket })",
    file: "bun-websocket-listening.ts",
    unsuited: { sync: noWebsockets },
    rows: websocketRows,
  },
  {
    name: "Express and ws",
    found: "export default server",
    packages: ["ws"],
    file: "express-ws.ts",
    unsuited: onlyAsync,
    rows: websocketRows,
    isListener: true,
  },
  {
    name: "http-proxy's websockets",
    found: 'server.on("upgrade", ... proxy.ws)',
    packages: ["http-proxy"],
    file: "http-proxy-websocket.ts",
    hasPrivatePort: true,
    unsuited: onlyAsync,
    rows: websocketRows,
    isListener: true,
  },
];
