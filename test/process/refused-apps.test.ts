/** Apps that can be imported and can't be served: a start and --check-config say so in the same words. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { start } from "../support/server.ts";

setDefaultTimeout(60_000);

const page = "<!doctype html><title>page</title>";

const rows: [claim: string, workerClass: string, app: string, says: string][] = [
  [
    "an HTML import in routes",
    "async",
    `import page from "./page.html"; export default { routes: { "/": page } };`,
    "app.ts: default: routes: /: HTML imports and folders in routes are Bun.serve's own, use --worker-class serve",
  ],
  [
    "an HTML import by method",
    "sync",
    `import page from "./page.html"; export default { routes: { "/": { GET: page } } };`,
    "HTML imports and folders in routes are Bun.serve's own, use --worker-class serve",
  ],
  [
    "one of a server that the app starts",
    "async",
    `import page from "./page.html"; Bun.serve({ port: 1, routes: { "/": page } });`,
    "HTML imports and folders in routes are Bun.serve's own, use --worker-class serve",
  ],
  [
    "a folder in routes",
    "async",
    `export default { routes: { "/": { dir: "." } } };`,
    "HTML imports and folders in routes are Bun.serve's own, use --worker-class serve",
  ],
  [
    "a wrong route",
    "async",
    `export default { routes: { "x": () => new Response() } };`,
    `Invalid route "x". Path must start with '/'`,
  ],
  [
    "websockets on sync",
    "sync",
    `export default { fetch: () => new Response(), websocket: { message() {} } };`,
    "a websocket would keep the worker from all other requests, use --worker-class async",
  ],
  [
    "websockets by name on sync",
    "sync",
    `export const fetch = () => new Response(); export const websocket = { message() {} };`,
    "a websocket would keep the worker from all other requests, use --worker-class async",
  ],
  ...["async", "serve"].map((workerClass): (typeof rows)[number] => [
    "handlers of websockets that are none",
    workerClass,
    `export default { fetch: () => new Response(), websocket: { message: 1 } };`,
    "websocket expects a function for the 'message' option",
  ]),
  [
    "TLS of the app's own",
    "async",
    `export default { fetch: () => new Response(), tls: { key: "k", cert: "c" } };`,
    "app.ts: default: tls: ",
  ],
];

test.each(rows)("%s (-k %s)", async (_claim, workerClass, app, says) => {
  const options = { files: { "app.ts": app, "page.html": page }, args: ["-k", workerClass] };
  await using checked = start({ ...options, args: [...options.args, "--check-config"] });
  expect(await checked.process.exited).toBe(1);
  await checked.logged(says);
  await using started = start(options);
  expect(await started.process.exited).toBeGreaterThan(0);
  await started.logged(says);
});

test("what only Bun.serve can do passes both on serve", async () => {
  const files = {
    "app.ts": `import page from "./page.html"; export default { routes: { "/": page, "/x": new Response("x") } };`,
    "page.html": page,
  };
  await using checked = start({ files, args: ["-k", "serve", "--check-config"] });
  expect(await checked.process.exited).toBe(0);
  await using started = start({ files, args: ["-k", "serve"] });
  await started.logged("Booting worker");
  expect(await started.stop()).toBe(0);
});
