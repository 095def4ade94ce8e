/** Apps that call Bun.serve themselves, served on this server's addresses. */
import { describe, expect, test } from "bun:test";
import { freePort } from "../../bench/free-port.ts";
import { gunicorn, start } from "../support/server.ts";

/** As Elysia: its handlers ask the server that it listens with. */
const keeping = `class Keeping {
  server = null;
  constructor(alone = "wrong") {
    this.fetch = () => new Response(this.server === null ? alone : "ours");
  }
  listen(port) {
    this.server = Bun.serve({ port, fetch: this.fetch });
    return this;
  }
}`;

/** Each with the answer to GET /, given a port that nobody may open. */
const scripts: Readonly<Record<string, (port: number) => string>> = {
  "a script": (port) => `Bun.serve({ port: ${port}, fetch: () => new Response("ours") });`,
  "a script that imports serve": (port) =>
    `import { serve } from "bun"; serve({ port: ${port}, fetch: () => new Response("ours") });`,
  "a script that takes its time": (port) =>
    `setTimeout(() => Bun.serve({ port: ${port}, fetch: () => new Response("ours") }), 200);`,
  "a script with other exports": (port) =>
    `export const version = 1; setTimeout(() => Bun.serve({ port: ${port}, fetch: () => new Response("ours") }), 100);`,
  "a script with routes alone": (port) =>
    `Bun.serve({ port: ${port}, routes: { "/": new Response("ours") } });`,
  "an export of the server": (port) =>
    `export default Bun.serve({ port: ${port}, fetch: () => new Response("ours") });`,
  "an app that is exported and listens too": (port) =>
    `const app = { fetch: () => new Response("ours") };
     Bun.serve({ ...app, port: ${port} });
     export default app;`,
  "an app that keeps its server, exported": () => `${keeping} export default new Keeping();`,
  "an app that keeps its server, exported beside another": (port) =>
    `${keeping} export default new Keeping("ours");
     Bun.serve({ port: ${port}, fetch: () => new Response("another") });`,
  "an app that keeps its server, listening and exported": (port) =>
    `${keeping} export default new Keeping().listen(${port});`,
  "a server that the app asks": (port) =>
    `const server = Bun.serve({
       port: ${port},
       fetch: (request, given) =>
         new Response(given === server && server.requestIP(request)?.address === "127.0.0.1" ? "ours" : "wrong"),
     });`,
  "a server that is reloaded": (port) =>
    `const server = Bun.serve({ port: ${port}, fetch: () => new Response("old") });
     server.reload({ fetch: () => new Response("ours") });`,
  "a server whose certificate is undefined": (port) =>
    `Bun.serve({ port: ${port}, tls: { cert: undefined, key: undefined }, fetch: () => new Response("ours") });`,
  "a server that is stopped at a signal": (port) =>
    `const server = Bun.serve({ port: ${port}, fetch: () => new Response("ours") });
     process.on("SIGTERM", async () => { await server.stop(); process.exit(0); });`,
};

describe.each([["async"], ["sync"], ["serve"]])("-k %s", (kind) => {
  test.each(Object.keys(scripts))(
    "%s is served, and opens no port of its own",
    async (name) => {
      const port = freePort();
      // reload() of worker class serve is Bun's own business.
      if (kind === "serve" && name.includes("reloaded")) return;
      await using server = await gunicorn({
        app: "app",
        files: { "app.ts": scripts[name]!(port) },
        args: ["-k", kind, "-w", "2"],
      });
      await server.settled(2);
      expect(await (await fetch(server.url)).text()).toBe("ours");
      expect(
        await fetch(`http://127.0.0.1:${port}`).then(
          () => "open",
          () => "closed",
        ),
      ).toBe("closed");
      expect(await server.stop()).toBe(0);
      expect(server.log).not.toContain("port of its own");
      expect(server.log).not.toContain("ERROR");
    },
    120_000,
  );
});

const node = `import { createServer } from "node:http";
const server = createServer((req, res) => res.end("ours"));`;

test.each<[name: string, app: string, unused: string[]]>([
  ["node:http with a port", `${node} server.listen(3000);`, ["port"]],
  ["node:http with a host too", `${node} server.listen(3000, "::");`, ["hostname", "port"]],
  ["node:http on a unix socket", `${node} server.listen("/nowhere/socket");`, ["unix"]],
  ["a node server that is exported", `${node} export default server;`, []],
  [
    "a node server that listens and is exported",
    `${node} export default server.listen(3000);`,
    ["port"],
  ],
  ["a listener", "export default (req, res) => res.end();", []],
  ["an app that keeps its server", `${keeping} export default new Keeping();`, []],
  ["the same, listening", `${keeping} export default new Keeping().listen(3000);`, ["port"]],
])(
  "where %s says that it listens is told as not used",
  async (_name, app, unused) => {
    await using server = await gunicorn({ app: "app", files: { "app.ts": app } });
    await server.settled(1);
    expect(await server.stop()).toBe(0);
    const told = [
      ...server.log.matchAll(/: (\w+) \S+ isn't used: the server listens at the setting bind$/gm),
    ];
    expect(told.map(([, name]) => name).sort()).toEqual(unused);
  },
  120_000,
);

test("--check-config and --preload take a script that listens", async () => {
  const port = freePort();
  const files = { "app.ts": scripts["a script"]!(port) };
  await using checked = start({ app: "app", files, args: ["--check-config"] });
  expect(await checked.process.exited).toBe(0);
  await using server = await gunicorn({ app: "app", files, args: ["--preload"] });
  expect(await (await fetch(server.url)).text()).toBe("ours");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("an error handler is asked, and what it does without is a plain 500", async () => {
  const text = `Bun.serve({
    fetch: () => { throw new Error("no"); },
    error: (error) => new Response(error.message, { status: 418 }),
  });`;
  await using server = await gunicorn({ app: "app", files: { "app.ts": text } });
  const answer = await fetch(server.url);
  expect([answer.status, await answer.text()]).toEqual([418, "no"]);
  expect(await server.stop()).toBe(0);
});

test("folders in routes are refused on async with the sentence that helps", async () => {
  const text = `Bun.serve({ routes: { "/*": { dir: "." } } });`;
  await using server = start({ app: "app", files: { "app.ts": text } });
  expect(await server.process.exited).toBe(4);
  expect(server.log).toContain(
    "app.ts: the server that it starts: routes: /*: HTML imports and folders in routes are Bun.serve's own, use --worker-class serve",
  );
});

test("a module that neither exports an app nor listens is refused with what it exports", async () => {
  await using server = start({ app: "app", files: { "app.ts": "export const version = 1;" } });
  expect(await server.process.exited).toBe(4);
  expect(server.log).toContain(
    'app.ts exports "version" (number): none is a function or has fetch',
  );
}, 120_000);
