/** Several addresses of a `serve` worker: each is a Bun.serve of its own, with TLS of another class. */
import { afterAll, describe, expect, test } from "bun:test";
import { Certificates } from "../support/certificates.ts";
import { gunicorn } from "../support/server.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());
const { certfile, keyfile } = certificates.make({ names: ["IP:127.0.0.1"] });
const insecure = { tls: { rejectUnauthorized: false } };

const options = `{
  port: 0,
  fetch(request, given) {
    server ??= given;
    const { pathname, protocol } = new URL(request.url);
    if (pathname === "/socket") return server.upgrade(request) ? undefined : new Response("none");
    server.timeout(request, 60);
    return new Response(protocol + server.requestIP(request).address);
  },
  websocket: { message: (socket, text) => void socket.send("echo " + text) },
}`;
const apps = {
  exported: `export default ${options.replaceAll("server.", "given.").replace("server ??= given;", "")};`,
  listening: `let server = Bun.serve(${options});`,
};
const orders: readonly (readonly string[])[] = [
  ["https://127.0.0.1:0", "127.0.0.1:0"],
  ["127.0.0.1:0", "https://127.0.0.1:0"],
  ["127.0.0.1:0", "127.0.0.1:0", "https://127.0.0.1:0", "https://127.0.0.1:0"],
];

describe.each(["serve", "async"])("-k %s", (kind) => {
  describe.each(Object.entries(apps))("an app, %s", (_name, app) => {
    test.each(orders.map((binds) => [binds.join(" "), binds] as const))(
      "on %s answers and upgrades at each",
      async (_binds, binds) => {
        await using server = await gunicorn({
          app: "app",
          files: { "app.ts": app },
          args: ["-k", kind, "--certfile", certfile, "--keyfile", keyfile],
          bind: [...binds],
        });
        await server.settled(1);
        const urls = [...server.log.matchAll(/(https?:\/\/127\.0\.0\.1:\d+)[,\s]/g)];
        const found = urls.map(([, url]) => url!);
        expect(found.length).toBe(binds.length);
        for (const url of found) {
          const answer = await fetch(url, insecure);
          const scheme = url.slice(0, url.indexOf("/"));
          expect([url, await answer.text()]).toEqual([url, `${scheme}127.0.0.1`]);
          expect([url, await echo(`${url.replace("http", "ws")}/socket`)]).toEqual([
            url,
            "echo hi",
          ]);
        }
        expect(await server.stop()).toBe(0);
      },
      120_000,
    );
  });
});

/** What comes back, or why nothing does. */
function echo(url: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const client = new WebSocket(url, insecure as unknown as string[]);
  client.addEventListener("open", () => client.send("hi"));
  client.addEventListener("message", ({ data }) => {
    resolve(String(data));
    client.close();
  });
  client.addEventListener("close", ({ reason }) => resolve(`closed: ${reason}`));
  return promise;
}
