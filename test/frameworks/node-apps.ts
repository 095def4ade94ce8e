/** Apps that stand on node:http. */
import type { FrameworkApp } from "./framework-app.ts";

const forms = ["form", "file of a form"];
const files = ["file", "Range", "file that the client has"];
const uploads = ["5 MiB up", "5 MiB up in chunks"];

const listeners: readonly FrameworkApp[] = [
  {
    name: "Express 5, ES module",
    found: "app.listen(port)",
    packages: ["express"],
    file: "express5.ts",
  },
  {
    name: "Express 5, CommonJS",
    found: "module.exports = app",
    packages: ["express"],
    file: "express5.cjs",
  },
  {
    name: "Express 4, ES module",
    found: "export default app",
    packages: ["express4"],
    file: "express4.ts",
  },
  {
    name: "Express 4, CommonJS",
    found: "app.listen(port)",
    packages: ["express4"],
    file: "express4.cjs",
  },
  {
    name: "Fastify",
    found: "await app.listen({ port })",
    packages: ["fastify"],
    file: "fastify.ts",
    lacks: ["gzip", "session"],
  },
  {
    name: "Fastify, exported",
    found: "export default app",
    packages: ["fastify"],
    mind: "it is asked to get ready, not to listen: `onListen` hooks need its own `listen()`",
    file: "fastify-exported.ts",
    lacks: [...forms, "stream", "SSE", ...uploads, ...files, "client gone", "gzip", "session"],
  },
  {
    name: "Koa",
    found: "app.listen(port)",
    packages: ["koa"],
    file: "koa.ts",
    lacks: ["Range", "file that the client has", "gzip", "session"],
  },
  {
    name: "Koa, exported",
    found: "export default app",
    packages: ["koa"],
    file: "koa-exported.ts",
    lacks: [
      "JSON",
      "JSON in chunks",
      ...forms,
      "stream",
      "SSE",
      ...files,
      "client gone",
      "gzip",
      "session",
    ],
  },
  {
    name: "hapi",
    found: "await server.start()",
    packages: ["@hapi/hapi"],
    file: "hapi.ts",
    lacks: [...files, "session"],
  },
  {
    name: "polka and sirv",
    found: "polka().listen(port)",
    packages: ["polka", "sirv"],
    file: "polka.ts",
    lacks: [
      "JSON",
      "JSON in chunks",
      ...forms,
      "HEAD",
      "HEAD of 5 MiB",
      "file that the client has",
      "gzip",
      "session",
    ],
  },
  {
    name: "connect and serve-static",
    found: "export default app",
    packages: ["connect", "serve-static"],
    file: "connect.ts",
    lacks: ["JSON", "JSON in chunks", "form", "session"],
  },
  {
    name: "Nest",
    found: "await app.listen(port)",
    packages: ["@nestjs/core"],
    mind: "start in the project's folder: Bun reads the settings for decorators from its `tsconfig.json`",
    folder: "nest",
    file: "main.ts",
    lacks: [...files, "gzip", "session"],
  },
  {
    name: "node:http, listening",
    found: "createServer(listener).listen(port)",
    file: "node-http.ts",
    lacks: ["session"],
  },
  {
    name: "node:http, exported",
    found: "export default (req, res) => ...",
    file: "node-listener.ts",
    lacks: ["session"],
  },
  {
    name: "Next-like custom server",
    found: "prepare().then(() => createServer(handle).listen(port))",
    file: "next-like.ts",
    lacks: ["session"],
  },
  {
    name: "http-proxy",
    found: "createServer((req, res) => proxy.web(req, res)).listen(port)",
    packages: ["http-proxy"],
    file: "http-proxy.ts",
    hasPrivatePort: true,
    lacks: ["session"],
    skips: { "client gone": "the server behind isn't told natively either" },
  },
];

export const nodeApps = listeners.map((app): FrameworkApp => ({ ...app, isListener: true }));
