/** Apps with websockets. */
import { websocketRows } from "./conversations.ts";
import type { FrameworkApp } from "./framework-app.ts";

const noWebsockets = "a websocket would keep the worker from all other requests";
const onlyAsync = {
  sync: noWebsockets,
  serve: "Bun.serve's connections can't be handed to an upgrade listener",
};

const ofBun = { folder: "websockets", unsuited: { sync: noWebsockets }, rows: websocketRows };
const ofNode = { ...ofBun, unsuited: onlyAsync, isListener: true } as const;

/** Apps that publish by Bun's own methods: websockets.test.ts has them with two workers, and when a worker leaves. */
export const publishingApps: readonly FrameworkApp[] = [
  {
    ...ofBun,
    name: "Bun.serve's websockets",
    found: "Bun.serve({ fetch, websocket })",
    file: "bun-serve.ts",
  },
  {
    ...ofBun,
    name: "Hono's websocket helper",
    found: "export default { fetch, websocket }",
    packages: ["hono"],
    file: "hono.ts",
  },
  {
    ...ofBun,
    name: "Elysia's ws",
    found: "app.ws(path, ...).listen(port)",
    packages: ["elysia"],
    file: "elysia.ts",
  },
  {
    ...ofBun,
    name: "crossws",
    found: "Bun.serve({ fetch, websocket })",
    packages: ["crossws"],
    file: "crossws.ts",
  },
  {
    ...ofBun,
    name: "h3 with crossws",
    found: "serve(app, { plugins: [ws(...)] })",
    packages: ["h3", "crossws"],
    file: "h3.ts",
  },
];

/** Apps that know the clients of one worker. */
export const listeningApps: readonly FrameworkApp[] = [
  {
    ...ofNode,
    name: "ws",
    found: "new WebSocketServer({ server })",
    packages: ["ws"],
    file: "ws.ts",
  },
  {
    ...ofNode,
    name: "@fastify/websocket",
    found: "await app.listen({ port })",
    packages: ["@fastify/websocket"],
    file: "fastify.ts",
  },
];

const oneWorker =
  'it wants one worker, or clients with `transports: ["websocket"]`, and an adapter (Redis) for more than one';

/** Compared by clients of their own, in websockets.test.ts. */
export const socketIoApps: readonly FrameworkApp[] = [
  {
    ...ofNode,
    name: "socket.io",
    found: "server.listen(port)",
    packages: ["socket.io"],
    mind: oneWorker,
    file: "socket-io.ts",
  },
  {
    ...ofBun,
    name: "socket.io on its engine for Bun",
    found: "export default { ...engine.handler() }",
    packages: ["socket.io", "@socket.io/bun-engine"],
    mind: oneWorker,
    file: "socket-io-bun.ts",
  },
];

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
  ...publishingApps,
  ...listeningApps,
];
