/** app_type: whether a function is a fetch app or a node listener is the setting's word. */
import { expect, test } from "bun:test";
import { gunicorn, start } from "../support/server.ts";

const apps: [kind: string, type: string, app: string][] = ["async", "sync", "serve"].flatMap(
  (kind): [string, string, string][] => [
    [kind, "node", `export default (a, b) => void b.end("ours");`],
    [kind, "fetch", `export default (req, res) => new Response("ours");`],
    [kind, "auto", `export default (a, b) => new Response("ours");`],
  ],
);

test.each(apps)(
  "-k %s --app-type %s serves %s",
  async (kind, type, app) => {
    const files = { "app.ts": app };
    const args = ["-k", kind, "--app-type", type];
    await using server = await gunicorn({ app: "app", files, args });
    expect(await (await fetch(server.url)).text()).toBe("ours");
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("ERROR");
  },
  120_000,
);

const theServer = "app.ts: the server that it starts";

const refused: [type: string, app: string, message: string][] = [
  [
    "node",
    `export default { fetch: () => new Response() };`,
    "app.ts: default is no node listener (req, res), and app_type is node",
  ],
  [
    "node",
    `Bun.serve({ fetch: () => new Response() });`,
    `${theServer}: it listens by Bun.serve, and app_type is node`,
  ],
  [
    "node",
    `Bun.serve({ fetch: () => new Response() }); export default (req, res) => res.end();`,
    "app.ts: default: it listens by Bun.serve, and app_type is node",
  ],
  [
    "fetch",
    `import { createServer } from "node:http"; createServer().listen(8000);`,
    `${theServer}: it listens by node:http, and app_type is fetch`,
  ],
];

test.each(refused)(
  "--app-type %s refuses %s",
  async (type, app, message) => {
    const files = { "app.ts": app };
    await using server = start({ app: "app", files, args: ["--app-type", type] });
    expect(await server.process.exited).toBe(4);
    expect(server.log).toContain(message);
    await using checked = start({
      app: "app",
      files,
      args: ["--app-type", type, "--check-config"],
    });
    expect(await checked.process.exited).toBe(1);
    expect(checked.log).toContain(message);
  },
  120_000,
);
