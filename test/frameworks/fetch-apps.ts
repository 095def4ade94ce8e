/** Apps that stand on fetch or Bun.serve. */
import { type FrameworkApp, type Kind, kinds } from "./framework-app.ts";
import { graphqlRows, orpcRows, pageRows, trpcRows } from "./own-requests.ts";
import { rows } from "./requests.ts";

const files = ["file", "Range", "file that the client has"];
const uploads = ["5 MiB up", "5 MiB up in chunks"];

const exceptServe: readonly Kind[] = ["async", "sync"];

const errorPage = [
  kinds,
  "the page for an error that the app doesn't handle is Gunicorn's",
] as const;
const stack = [exceptServe, "the error of request.json() has a stack"] as const;
export const headType = [
  exceptServe,
  "HEAD of bytes has their type, which Bun.serve leaves out",
] as const;

const bare = ["file that the client has", "gzip", "session"];
const unhandled = { "JSON that is none": errorPage, "thrown error": errorPage };

export const fetchApps: readonly FrameworkApp[] = [
  {
    name: "fetch function",
    found: "export default { fetch }",
    file: "fetch.ts",
    lacks: bare,
    differs: { ...unhandled, "HEAD of 5 MiB": headType },
  },
  {
    name: "Bun.serve",
    found: "Bun.serve({ fetch, error })",
    file: "bun-serve.ts",
    lacks: bare,
    differs: { "HEAD of 5 MiB": headType },
  },
  {
    name: "Bun.serve with routes",
    found: "serve({ routes, fetch })",
    file: "bun-routes.ts",
    lacks: ["gzip", "session"],
    differs: {
      ...unhandled,
      "HEAD of 5 MiB": headType,
      gzip: [["serve"], "a Response in routes has an ETag only where somebody wants sizes"],
    },
  },
  {
    name: "srvx",
    found: "serve({ fetch })",
    packages: ["srvx"],
    file: "srvx.ts",
    lacks: bare,
    differs: { ...unhandled, "HEAD of 5 MiB": headType },
  },
  { name: "Hono", found: "export default app", packages: ["hono"], file: "hono.ts", lacks: bare },
  {
    name: "Hono on @hono/node-server",
    found: "serve({ fetch: app.fetch })",
    packages: ["@hono/node-server"],
    file: "hono-node-server.ts",
    lacks: ["file that the client has", "session"],
    isListener: true,
  },
  {
    name: "Elysia, exported",
    found: "export default app",
    packages: ["elysia"],
    mind: "it is asked to listen: `server`, `.ws()` and `.onStart()` work",
    file: "elysia.ts",
    lacks: bare,
    differs: { "HEAD of 5 MiB": headType },
  },
  {
    name: "Elysia, listening",
    found: "app.listen(port)",
    packages: ["elysia"],
    file: "elysia-listening.ts",
    differs: { "HEAD of 5 MiB": headType },
    lacks: bare,
  },
  {
    name: "h3",
    found: "serve(app)",
    packages: ["h3"],
    file: "h3.ts",
    lacks: ["Range", "gzip", "session"],
  },
  {
    name: "itty-router",
    found: "export default router",
    packages: ["itty-router"],
    file: "itty-router.ts",
    lacks: [
      "file of a form",
      "HEAD",
      "HEAD of 5 MiB",
      ...files,
      "client address",
      "client gone",
      "gzip",
      "session",
    ],
  },
  {
    name: "GraphQL Yoga",
    found: "export default yoga",
    packages: ["graphql-yoga"],
    file: "graphql-yoga.ts",
    rows: graphqlRows,
  },
  {
    name: "tRPC",
    found: "Bun.serve({ fetch })",
    packages: ["@trpc/server"],
    file: "trpc.ts",
    rows: trpcRows,
  },
  {
    name: "oRPC",
    found: "Bun.serve({ fetch })",
    packages: ["@orpc/server"],
    file: "orpc.ts",
    rows: orpcRows,
  },
  {
    name: "React, rendered as a stream",
    found: "export default { fetch }",
    packages: ["react-dom"],
    file: "react-ssr.tsx",
    rows: [...pageRows, ...rows],
    lacks: bare,
    differs: { ...unhandled, "HEAD of 5 MiB": headType },
  },
  {
    name: "React Router",
    found: "export default { fetch }",
    packages: ["react-router"],
    file: "react-router.tsx",
    lacks: [
      "file of a form",
      "stream",
      "SSE",
      "5 MiB down",
      "HEAD of 5 MiB",
      ...uploads,
      ...files,
      "client address",
      "client gone",
      "gzip",
      "session",
    ],
    differs: { "JSON that is none": stack },
  },
];
