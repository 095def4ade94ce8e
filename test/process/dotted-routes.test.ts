/** Which route takes a target that a URL would show otherwise: our own router beside that of Bun.serve. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { bareServer } from "../support/bare.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer } from "../support/server.ts";
import { get } from "../support/wire.ts";

setDefaultTimeout(60_000);

const app = `const show = (name) => (request) =>
  new Response([name, new URL(request.url).pathname, JSON.stringify(request.params)].join(" "));
const server = Bun.serve({
  port: process.env.PORT ?? 1,
  hostname: "127.0.0.1",
  routes: {
    "/": show("root"),
    "/b": show("b"),
    "/a/../b": show("dotted"),
    "/a/b": show("ab"),
    "/a/:id": show("id"),
    "/deep/*": show("deep"),
    "/deep/x": show("deep x"),
    "/encoded/%2e": show("encoded"),
    "/%61": show("escaped"),
  },
  fetch: show("fetch"),
});
console.log("port", server.port);
`;

const servers = new AsyncDisposableStack();
let ours: RunningServer;
let mounted: RunningServer;
let barePort: number;

beforeAll(async () => {
  ours = servers.use(await gunicorn({ files: { "app.ts": app } }));
  mounted = servers.use(await gunicorn({ files: { "app.ts": app }, env: { SCRIPT_NAME: "/app" } }));
  barePort = servers.use(await bareServer(`${ours.folder}/app.ts`)).port;
});

afterAll(() => servers.disposeAsync());

async function taken(port: number, target: string): Promise<string> {
  using client = await RawClient.connect(port);
  const { status, body } = await client.ask(get(target));
  return `${status} ${body.toString()}`;
}

test.each([
  "/",
  "/b",
  "/?x",
  "/b?q=/../",
  "/a/../b",
  "/a/./b",
  "/a//b",
  "//b",
  "/a/..",
  "/a/../",
  "/../b",
  "/./b",
  "/a/../../b",
  "/a/%2e%2e/b",
  "/a/.%2E/b",
  "/a/%2e",
  "/a/b/..",
  "/a/b/.",
  "/a/x/../b",
  "/a/b/%2e%2e/c",
  "/a/..b",
  "/a/...",
  "/a/..?x=/../b",
  "/a\\..\\b",
  "/a/%5c../b",
  "/deep/../b",
  "/deep/./x",
  "/deep/x/../y",
  "/deep/..%2fx",
  "/encoded/%2e",
  "/%61",
  "http://h/a/../b",
  "http://h/deep/../b?x",
  "http://h",
  "http://h?x",
])("%s", async (target) => {
  expect(await taken(ours.port, target)).toBe(await taken(barePort, target));
});

test("below the path that an app is mounted at", async () => {
  expect(await taken(mounted.port, "/app/deep/../b")).toStartWith("200 deep ");
});
