import { createServer } from "node:http";
import { describe, expect, test } from "bun:test";
import { CapturedServer } from "../../../src/app/captured-server.ts";
import { type AppType, isNodeListener, readApp } from "../../../src/app/shape.ts";

const hello = () => new Response("hello");
const address = { address: "127.0.0.1", family: "IPv4", port: 1 } as const;
const express = Object.assign((_request: unknown, _response: unknown) => {}, {
  handle() {},
  use() {},
});
/** As Elysia. */
class Keeping {
  server = null;
  fetch = hello;
  listen() {}
}
const noListener = "is no node listener (req, res), and app_type is node";
const noFetch = "is a node listener (req, res), and app_type is fetch";
const aClass = "is a class: export an instance that has fetch";

/** What a value is by each app_type: a fetch app, a node listener, nothing (null), or what is wrong with it. */
const values: [
  claim: string,
  value: unknown,
  auto: string | null,
  fetch: string | null,
  node: string,
][] = [
  ["a function of a request", (request: Request) => request, "app", "app", "listener"],
  ["a function without parameters", hello, "app", "app", "listener"],
  [
    "a function of a request and a server",
    (_a: unknown, _server: unknown) => hello(),
    "app",
    "app",
    "listener",
  ],
  ["a function (req, res)", (_req: unknown, _res: unknown) => {}, "listener", "app", "listener"],
  [
    "an async function (request, response)",
    async (_request: unknown, _response: unknown) => {},
    "listener",
    "app",
    "listener",
  ],
  ["a function (a, b)", (_a: unknown, _b: unknown) => {}, "app", "app", "listener"],
  ["a function with rest parameters", (..._all: unknown[]) => {}, "app", "app", "listener"],
  ["Express", express, "listener", "app", "listener"],
  [
    "a function that has fetch",
    Object.assign(() => {}, { fetch: hello }),
    "app",
    "app",
    "listener",
  ],
  ["an object that has fetch", { fetch: hello }, "app", "app", noListener],
  ["an app that keeps its server", new Keeping(), "listener", "app", noListener],
  ["options with routes", { routes: { "/": hello() } }, "app", "app", noListener],
  [
    "a server of Bun.serve",
    new CapturedServer(
      { fetch: hello },
      { url: "http://127.0.0.1:1/", protocol: "http", address },
      () => {},
    ),
    "app",
    "app",
    noListener,
  ],
  ["a server of node:http", createServer(), "listener", noFetch, "listener"],
  ["Fastify", { listen() {}, routing() {}, ready() {} }, "listener", noFetch, "listener"],
  [
    "a Fastify plugin",
    async (fastify: unknown, _options: unknown) => fastify,
    "listener",
    "app",
    "listener",
  ],
  ["a short Fastify plugin", async (fastify: unknown) => fastify, "listener", "app", "listener"],
  ["Koa", { listen() {}, callback() {} }, "listener", noFetch, "listener"],
  ["polka", { listen() {}, handler() {}, use() {} }, "listener", noFetch, "listener"],
  ["Nest", { listen() {}, getHttpAdapter() {}, init() {} }, "listener", noFetch, "listener"],
  [
    "a framework's app that has both",
    { listen() {}, fetch: hello, callback() {} },
    "app",
    "app",
    "listener",
  ],
  [
    "a class",
    class {
      handle() {}
    },
    aClass,
    aClass,
    "is a class: export a function (req, res), or a server of node:http",
  ],
  ["an object", {}, null, null, noListener],
  ["text", "text", null, null, noListener],
];

describe.each([["auto"], ["fetch"], ["node"]] as const)(
  "readApp() with app_type %s",
  (type: AppType) => {
    test.each(values)("takes %s as it says", (_claim, value, auto, fetch, node) => {
      const read = readApp(value, null, "app.ts: default", type);
      const kind =
        read === null || typeof read === "string"
          ? read
          : isNodeListener(read)
            ? "listener"
            : "app";
      expect(kind).toBe({ auto, fetch, node }[type]);
    });
  },
);
