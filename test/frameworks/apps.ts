/** The apps that are compared: docs/apps.md has this table. */
import { websocketRows } from "./conversations.ts";
import { graphqlRows, orpcRows, pageRows, trpcRows } from "./own-requests.ts";
import { type Row, rows } from "./requests.ts";

export const kinds = ["async", "serve", "sync"] as const;
export type Kind = (typeof kinds)[number];

export type Difference = readonly [kinds: readonly Kind[], reason: string];

export interface FrameworkApp {
  /** As its authors write it, with its major version where two are about. */
  readonly name: string;
  /** `bun FILE` is the native way to run it. */
  readonly file: string;
  /** Below apps/, where it is run; apps/ itself if left out. */
  readonly folder?: string;
  /** MODULE[:EXPORT] if it isn't the file. */
  readonly module?: string;
  /** Worker classes that refuse it at the start, with the sentence. */
  readonly not?: Partial<Readonly<Record<Kind, string>>>;
  /** Worker classes that it runs on without what it is made for, and why: they are left out. */
  readonly unsuited?: Partial<Readonly<Record<Kind, string>>>;
  /** Rows that the app doesn't do natively either: the answers are compared all the same. */
  readonly lacks?: readonly string[];
  /** Rows with another answer than the native one, each with the worker classes and the reason. */
  readonly differs?: Readonly<Record<string, Difference>>;
  /** Rows that nobody asks, and why. */
  readonly skips?: Readonly<Record<string, string>>;
  /** In place of those that all apps get. */
  readonly rows?: readonly Row[];
  /** It stands on node:http. */
  readonly isListener?: true;
  /** What to mind, for docs/apps.md. */
  readonly mind?: string;
}

const forms = ["form", "file of a form"];
const files = ["file", "Range", "file that the client has"];
const uploads = ["5 MiB up", "5 MiB up in chunks"];

const exceptServe: readonly Kind[] = ["async", "sync"];

const errorPage = [kinds, "the page is Gunicorn's, and Bun's is a text"] as const;
const stack = [exceptServe, "the error of request.json() has a stack"] as const;
const headType = [exceptServe, "Bun.serve leaves out the type of bytes for HEAD"] as const;

const bare = ["file that the client has", "gzip", "session"];
const unhandled = { "JSON that is none": errorPage, "thrown error": errorPage };

export const fetchApps: readonly FrameworkApp[] = [
  {
    name: "fetch function",
    file: "fetch.ts",
    lacks: bare,
    differs: { ...unhandled, "HEAD of 5 MiB": headType },
  },
  { name: "Bun.serve", file: "bun-serve.ts", lacks: bare, differs: { "HEAD of 5 MiB": headType } },
  {
    name: "Bun.serve with routes",
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
    file: "srvx.ts",
    lacks: bare,
    differs: { ...unhandled, "HEAD of 5 MiB": headType },
  },
  { name: "Hono", file: "hono.ts", lacks: bare },
  {
    name: "Hono on @hono/node-server",
    file: "hono-node-server.ts",
    lacks: ["file that the client has", "session"],
    isListener: true,
  },
  {
    name: "Elysia, exported",
    file: "elysia.ts",
    lacks: bare,
    differs: { "HEAD of 5 MiB": headType },
  },
  {
    name: "Elysia, listening",
    file: "elysia-listening.ts",
    differs: { "HEAD of 5 MiB": headType },
    lacks: bare,
  },
  { name: "h3", file: "h3.ts", lacks: ["Range", "gzip", "session"] },
  {
    name: "itty-router",
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
  { name: "GraphQL Yoga", file: "graphql-yoga.ts", rows: graphqlRows },
  { name: "tRPC", file: "trpc.ts", rows: trpcRows },
  { name: "oRPC", file: "orpc.ts", rows: orpcRows },
  {
    name: "React, rendered as a stream",
    file: "react-ssr.tsx",
    rows: [...pageRows, ...rows],
    lacks: bare,
    differs: { ...unhandled, "HEAD of 5 MiB": headType },
  },
  {
    name: "React Router",
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

const listeners: readonly FrameworkApp[] = [
  { name: "Express 5, ES module", file: "express5.ts" },
  { name: "Express 5, CommonJS", file: "express5.cjs" },
  { name: "Express 4, ES module", file: "express4.ts" },
  { name: "Express 4, CommonJS", file: "express4.cjs" },
  { name: "Fastify", file: "fastify.ts", lacks: ["gzip", "session"] },
  {
    name: "Fastify, exported",
    file: "fastify-exported.ts",
    lacks: [...forms, "stream", "SSE", ...uploads, ...files, "client gone", "gzip", "session"],
  },
  { name: "Koa", file: "koa.ts", lacks: ["Range", "file that the client has", "gzip", "session"] },
  {
    name: "Koa, exported",
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
  { name: "hapi", file: "hapi.ts", lacks: [...files, "session"] },
  {
    name: "polka and sirv",
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
    file: "connect.ts",
    lacks: ["JSON", "JSON in chunks", "form", "session"],
  },
  { name: "Nest", folder: "nest", file: "main.ts", lacks: [...files, "gzip", "session"] },
  { name: "node:http, listening", file: "node-http.ts", lacks: ["session"] },
  { name: "node:http, exported", file: "node-listener.ts", lacks: ["session"] },
  { name: "Next-like custom server", file: "next-like.ts", lacks: ["session"] },
  {
    name: "http-proxy",
    file: "http-proxy.ts",
    lacks: ["session"],
    skips: { "client gone": "the server behind isn't told natively either" },
  },
];

export const nodeApps = listeners.map((app): FrameworkApp => ({ ...app, isListener: true }));

const noWebsockets = "a websocket would keep the worker from all other requests";
const onlyAsync = {
  sync: noWebsockets,
  serve: "Bun.serve's connections can't be handed to an upgrade listener",
};

/** websockets.test.ts has those of more frameworks, with two workers and when a worker leaves. */
export const websocketApps: readonly FrameworkApp[] = [
  {
    name: "Bun.serve's websockets, exported",
    file: "bun-websocket.ts",
    not: { sync: noWebsockets },
    rows: websocketRows,
  },
  {
    name: "Bun.serve's websockets, listening",
    file: "bun-websocket-listening.ts",
    unsuited: { sync: noWebsockets },
    rows: websocketRows,
  },
  {
    name: "Express and ws",
    file: "express-ws.ts",
    unsuited: onlyAsync,
    rows: websocketRows,
    isListener: true,
  },
  {
    name: "http-proxy's websockets",
    file: "http-proxy-websocket.ts",
    unsuited: onlyAsync,
    rows: websocketRows,
    isListener: true,
  },
];
