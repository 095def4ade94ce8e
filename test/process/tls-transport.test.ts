/** HTTPS by the engine: what clients get that speak TLS, and how their connections end. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer, type ServerOptions } from "../support/server.ts";
import { ask, sClient } from "../support/tls-client.ts";

const app = `
const big = new Uint8Array(20_000_000);
for (let at = 0; at < big.length; at += 4) new DataView(big.buffer).setUint32(at, at * 2654435761);
const hash = (bytes) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
export default {
  async fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/scheme")
      return Response.json([request.url, String(server.url), server.protocol]);
    if (pathname === "/big") return new Response(big);
    if (pathname === "/big-hash") return new Response(hash(big));
    if (pathname === "/file") return new Response(Bun.file("app.ts"));
    if (pathname === "/hash") return new Response(hash(await request.bytes()));
    if (pathname === "/slow-hash") {
      await Bun.sleep(50);
      return new Response(hash(await request.bytes()));
    }
    if (pathname === "/aborted") {
      request.signal.addEventListener("abort", () => console.log("aborted"));
      console.log("awaits", await request.text().catch(({ name }) => name));
    }
    return new Response("hello");
  },
};`;

function serve(options: ServerOptions = {}): Promise<RunningServer> {
  return gunicorn({ secure: true, files: { "app.ts": app }, ...options });
}

function secured(server: RunningServer): Promise<RawClient> {
  return RawClient.connect({ port: server.port, secure: true });
}

const get = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
const closes = "Connection: close\r\n";

test.each(["async", "sync"])("-k %s says https wherever an app looks", async (workerClass) => {
  await using server = await serve({ args: ["-k", workerClass] });
  const base = `https://127.0.0.1:${server.port}/`;
  expect(await (await server.fetch("/scheme")).json()).toEqual([`${base}scheme`, base, "https"]);
});

describe("a handshake", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)("of %s", async (version) => {
    await using server = await serve();
    const outcome = await ask(server.port, { minVersion: version, maxVersion: version });
    expect(outcome).toMatchObject({ answer: "HTTP/1.1 200 OK", body: "hello", version });
  });

  test("takes http/1.1 of whatever else is offered, and refuses who doesn't offer it", async () => {
    await using server = await serve();
    const rows: [string[] | undefined, unknown][] = [
      [undefined, false],
      [["http/1.1"], "http/1.1"],
      [["h2", "http/1.1"], "http/1.1"],
      [["http/1.1", "h2"], "http/1.1"],
    ];
    for (const [offered, alpn] of rows) {
      const outcome = await ask(
        server.port,
        offered === undefined ? {} : { ALPNProtocols: offered },
      );
      expect({ offered, outcome }).toMatchObject({ offered, outcome: { alpn, body: "hello" } });
    }
    const refused = await ask(server.port, { ALPNProtocols: ["h2"] });
    expect(refused).toMatchObject({ answer: null, alpn: null });
    expect(refused.error).not.toBeNull();
  });

  test("is short for a client that comes back, also behind a pause in accepting", async () => {
    // With one connection at most, the listener is made anew for each.
    await using server = await serve({ args: ["--worker-connections", "1"] });
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const session = join(server.folder, `session${version}`);
      expect(await sClient(server.port, version, "-sess_out", session)).toContain("\nNew, TLS");
      expect(existsSync(session)).toBe(true);
      for (let count = 0; count < 3; count++)
        expect(await sClient(server.port, version, "-sess_in", session)).toContain("\nReused, TLS");
    }
  }, 60_000);
});

describe("bytes", () => {
  test("of an answer all come to a slow reader", async () => {
    await using server = await serve();
    using client = await secured(server);
    const sum = (await client.ask(get("/big-hash"))).body.toString();
    client.pause();
    client.send(get("/big", closes));
    // The kernel takes a part of it, and the server goes on with others.
    expect(await (await server.fetch("/big-hash")).text()).toBe(sum);
    client.resume();
    const answer = await client.answer();
    expect(new Bun.CryptoHasher("sha256").update(answer.body).digest("hex")).toBe(sum);
    expect(await client.ended()).toBe("fin");
  }, 60_000);

  test.each(["/hash", "/slow-hash"])(
    "of an upload all come to %s",
    async (path) => {
      await using server = await serve();
      const body = crypto.getRandomValues(new Uint8Array(65_536));
      const large = Buffer.concat(Array.from({ length: 80 }, () => body));
      const sum = new Bun.CryptoHasher("sha256").update(large).digest("hex");
      const response = await server.fetch(path, { method: "POST", body: large });
      expect(await response.text()).toBe(sum);
    },
    60_000,
  );

  test("of a file come", async () => {
    await using server = await serve();
    expect(await (await server.fetch("/file")).text()).toBe(app);
  });
});

describe("an end", () => {
  test("is told by close_notify behind the last answer", async () => {
    await using server = await serve();
    using client = await secured(server);
    expect((await client.ask(get("/", closes))).body.toString()).toBe("hello");
    expect(await client.ended()).toBe("fin");
  });

  test("comes after keepalive", async () => {
    await using server = await serve({ args: ["--keep-alive", "1", "--log-level", "debug"] });
    using client = await secured(server);
    await client.ask(get("/"));
    await server.logged("Closing ip=127.0.0.1: keepalive");
    expect(await client.ended()).toBe("fin");
  });

  test("of the client's sending is answered", async () => {
    await using server = await serve();
    using client = await secured(server);
    client.send(get("/big-hash"));
    client.halfClose();
    expect((await client.answer()).body).toHaveLength(64);
    expect(await client.ended()).toBe("fin");
  });

  test("in the middle of a body is no end of the body", async () => {
    await using server = await serve();
    using client = await secured(server);
    client.send("POST /aborted HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    await client.sent();
    client.halfClose();
    await server.logged("awaits AbortError");
  });
});
