/** HTTPS by the engine: what clients get that speak TLS, and those that don't quite. */
import { afterAll, describe, expect, test } from "bun:test";
import { Certificates } from "../support/certificates.ts";
import { type RunningServer, type ServerOptions, start } from "../support/server.ts";

const certificates = new Certificates();
const own = certificates.make({ name: "localhost", names: ["IP:127.0.0.1"] });
afterAll(() => certificates[Symbol.dispose]());

const app = `export default {
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/scheme")
      return Response.json([request.url, String(server.url), server.protocol]);
    return new Response("hello");
  },
};`;

/** Connections wait in the queue until the worker serves. */
async function serve(options: ServerOptions = {}): Promise<RunningServer> {
  const server = start(options);
  await server.logged("Using worker:");
  return server;
}

const tlsArgs = ["--certfile", own.certfile, "--keyfile", own.keyfile];

describe.each(["async", "sync"])("-k %s", (workerClass) => {
  test("serves HTTPS", async () => {
    await using server = await serve({
      args: ["-k", workerClass, ...tlsArgs],
      files: { "app.ts": app },
    });
    const { port } = server;
    const response = await fetch(`https://127.0.0.1:${port}/scheme`, { tls: { ca: own.cert } });
    const base = `https://127.0.0.1:${port}/`;
    expect(await response.json()).toEqual([`${base}scheme`, base, "https"]);
  });
});
