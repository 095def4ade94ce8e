/**
 * Reloads and a stop under load by HTTP/2. What counts as lost: a request without its whole answer, unless the client knows by
 * GOAWAY or REFUSED_STREAM that the server hasn't seen it (test/support/loads/http2-load.ts).
 */
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Certificates } from "../support/certificates.ts";
import { ask, nghttp2, serveHttp2 } from "../support/http2.ts";
import { Http2Load } from "../support/loads/http2-load.ts";
import { describeWith } from "../support/peers.ts";
import { type RunningServer, until } from "../support/server.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());
const own = certificates.make({ names: ["IP:127.0.0.1"] });
const app = `let count = 0;
export default {
  fetch() {
    if (++count === 20) console.error("busy");
    return new Response("hello");
  },
};`;
const files = { "app.ts": app };
const args = ["-w", "2", "--certfile", own.certfile, "--keyfile", own.keyfile];
const http2 = [...args, "--http-protocols", "h2,h1", "--access-logfile", "/dev/null"];

/** Replaces all workers. */
async function reload(server: RunningServer): Promise<void> {
  const old = new Set(server.workers());
  server.kill("SIGHUP");
  await until(
    "new workers only",
    () => {
      const now = server.workers();
      return now.length === old.size && now.every((pid) => !old.has(pid));
    },
    200_000,
  );
}

describeWith(["curl"], "HTTP/2 under load", () => {
  test("loses nothing by HUP, TTIN, TTOU and TERM", async () => {
    await using server = await serveHttp2({ files, args: http2 });
    const load = new Http2Load({
      url: server.url,
      connections: 8,
      streams: 8,
      path: "/",
      expected: "hello",
    });
    for (let count = 0; count < 3; count++) {
      await load.more(2000);
      await reload(server);
    }
    server.kill("SIGTTIN");
    await server.settled(3);
    await load.more(2000);
    server.kill("SIGTTOU");
    await server.settled(2);
    await load.more(2000);
    server.kill("SIGTERM");
    await load.ended();
    expect(load.lost).toEqual([]);
    expect(load.answered).toBeGreaterThanOrEqual(10_000);
    // They came back behind GOAWAY.
    expect(load.connections).toBeGreaterThan(8 * 2);
    expect(await server.process.exited).toBe(0);
    expect(server.log).not.toContain("graceful_timeout");
  }, 300_000);
});

describeWith(["curl"], "a renewed certificate", () => {
  test("is served by new workers as soon as its files have changed, and no stream is lost", async () => {
    const renewed = certificates.make({ name: "renewed.test" });
    const certfile = certificates.file("live.pem", own.cert);
    const keyfile = certificates.file("live-key.pem", own.key);
    const tls = ["--certfile", certfile, "--keyfile", keyfile, "--http-protocols", "h2,h1"];
    await using server = await serveHttp2({
      files,
      args: ["-w", "2", "--access-logfile", "/dev/null", ...tls],
    });
    const subject = async () => {
      const said = await ask(server.url, "--http2", "-v", "--stderr", "-", "-o", "/dev/null");
      return /subject: CN=(\S+)/.exec(said)?.[1];
    };
    expect(await subject()).toBe("localhost");
    const old = server.workers();
    const { url } = server;
    const load = new Http2Load({ url, connections: 4, streams: 4, path: "/", expected: "hello" });
    await load.more(500);
    writeFileSync(keyfile, renewed.key);
    writeFileSync(certfile, renewed.cert);
    await server.logged("TLS certificate renewed: CN=renewed.test");
    await until(
      "new workers only",
      () => {
        const now = server.workers();
        return now.length === 2 && now.every((pid) => !old.includes(pid));
      },
      200_000,
    );
    expect(await subject()).toBe("renewed.test");
    await load.more(500);
    await load.stop();
    expect(load.lost).toEqual([]);
    expect(await server.stop()).toBe(0);
  }, 300_000);
});

describeWith(["curl", "h2load"], "HTTP/2 under h2load", () => {
  test("loses nothing at HUP but what came behind GOAWAY", async () => {
    await using server = await serveHttp2({ files, args: http2 });
    const [connections, streams, workers] = [8, 4, 2];
    const clients = ["-c", String(connections), "-m", String(streams)];
    const load = nghttp2("h2load", ["-D", "6", ...clients, `${server.url}/`]);
    await server.logged("busy");
    await reload(server);
    const { code, output } = await load;
    expect(code).toBe(0);
    const [, answered, failed, errored, late] =
      /done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(output) ?? [];
    expect(Number(answered)).toBeGreaterThan(0);
    expect(output).toContain(`status codes: ${answered} 2xx, 0 3xx, 0 4xx, 0 5xx`);
    // It doesn't ask again: what is under way behind GOAWAY counts as failed, all streams of a connection at most.
    expect([failed, late]).toEqual([errored, "0"]);
    expect(Number(failed)).toBeLessThanOrEqual(connections * streams * workers);
    expect(await server.stop()).toBe(0);
  }, 300_000);
});
