/** HTTP/2 of worker class serve, with curl, nghttp and node:http2 as clients. */
import { afterAll, expect, test } from "bun:test";
import { Certificates } from "../support/certificates.ts";
import { ask, connect, get, nghttp2, serveHttp2 } from "../support/http2.ts";
import { describeWith } from "../support/peers.ts";
import { start, until, waitsForGo } from "../support/server.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());
const own = certificates.make({ names: ["IP:127.0.0.1"] });
const other = certificates.make({ name: "other.test", names: ["DNS:*.wild.test"] });
const tls = ["--certfile", own.certfile, "--keyfile", own.keyfile];

const app = `export default {
  async fetch(request, server) {
    const { pathname, protocol } = new URL(request.url);
    if (pathname === "/size") return new Response(String((await request.bytes()).length));
    if (pathname === "/large") return new Response("x".repeat(1 << 20));
    if (pathname === "/throws") throw new Error("on purpose");
    if (pathname === "/certificate") return new Response(String(server.peerCertificate(request)));
    if (pathname === "/connection")
      return new Response("", { headers: { connection: "close", "keep-alive": "timeout=9" } });
    if (pathname === "/ip") return Response.json(server.requestIP(request).address);
    if (pathname === "/slow") {
      console.error("slow begins");
      ${waitsForGo}
      return new Response("slow ends");
    }
    return new Response(protocol + pathname);
  },
};`;
const files = { "app.ts": app };

describeWith(["curl"], "HTTP/2 with TLS", () => {
  test("is chosen by ALPN, logged as what it is, and serves as HTTP/1.1 does", async () => {
    const args = [...tls, "--http-protocols", "h2,h1"];
    await using server = await serveHttp2({ files, args });
    const { url } = server;
    expect(url).toStartWith("https://");
    const rows: readonly (readonly [path: string, args: readonly string[], answer: string])[] = [
      ["/a", ["--http2"], "2 200 https:/a"],
      ["/b", ["--http1.1"], "1.1 200 https:/b"],
      ["/c", ["--no-alpn"], "1.1 200 https:/c"],
      ["/d", ["--http1.0"], "1.1 200 https:/d"],
      ["/e", ["--http2", "--tls-max", "1.2"], "2 200 https:/e"],
      ["/ip", ["--http2"], '2 200 "127.0.0.1"'],
      ["/size", ["--http2", "-d", "x".repeat(50_000)], "2 200 50000"],
      ["/throws", ["--http2"], "2 500 Internal Server Error"],
      ["/connection", ["--http2"], "2 200 "],
    ];
    for (const [path, args, answer] of rows) {
      expect([path, await ask(`${url}${path}`, ...args)]).toEqual([path, answer]);
      const version = answer.startsWith("2") ? "HTTP/2" : "HTTP/1.1";
      const method = path === "/size" ? "POST" : "GET";
      await server.logged(`"${method} ${path} ${version}" ${answer.split(" ")[1]} `);
    }
    await server.logged("Error handling request GET /throws");
    expect(await ask(`${url}/certificate`, "--http2")).toBe("2 500 Internal Server Error");
    await server.logged("server.peerCertificate() is not supported: Bun.serve can't show it");
    expect(await server.stop()).toBe(0);
  }, 300_000);

  test("alone, refuses HTTP/1.1", async () => {
    const args = [...tls, "--http-protocols", "h2"];
    await using server = await serveHttp2({ files, args });
    expect(await ask(`${server.url}/a`, "--http2")).toBe("2 200 https:/a");
    await server.logged('"GET /a HTTP/2" 200 ');
    expect(await ask(`${server.url}/b`, "--http1.1")).toStartWith("curl: 35 ");
    expect(await ask(`${server.url}/b`, "--no-alpn")).toStartWith("1.1 505 ");
  }, 300_000);

  test("stands beside an address without TLS, and its certificates have names", async () => {
    const names = `export default {
      bind: ["https://127.0.0.1:0", "127.0.0.1:0"],
      certfile: ${JSON.stringify(own.certfile)}, keyfile: ${JSON.stringify(own.keyfile)},
      tls: [{ certfile: ${JSON.stringify(other.certfile)}, keyfile: ${JSON.stringify(other.keyfile)} }],
      httpProtocols: "h2,h1",
    };`;
    await using server = await serveHttp2({
      files: { ...files, "gunicorn.conf.ts": names },
      bind: [],
    });
    const [, plain] = /,(http:\/\/\S+) /.exec(server.log) ?? [];
    expect(await ask(`${plain}/a`, "--http2")).toBe("1.1 200 http:/a");
    expect(await ask(`${plain}/a`, "--http2-prior-knowledge")).toStartWith("curl: ");
    const subjects = ["localhost", "unknown.test", "other.test", "OTHER.test", "x.wild.test"].map(
      async (name) => {
        const resolve = `${name}:${server.port}:127.0.0.1`;
        const to = `https://${name}:${server.port}/`;
        const said = await ask(to, "--resolve", resolve, "-v", "--stderr", "-", "-o", "/dev/null");
        return /subject: CN=(\S+)/.exec(said)?.[1];
      },
    );
    const expected = ["localhost", "localhost", "other.test", "other.test", "other.test"];
    expect(await Promise.all(subjects)).toEqual(expected);
  }, 300_000);

  test("leaves websockets to HTTP/1.1, and closes them with 1001", async () => {
    const sockets = `export default {
      fetch: (request, server) => server.upgrade(request) ? undefined : new Response("none"),
      websocket: { open(socket) { socket.send("welcome"); }, message() {} },
    };`;
    const args = [...tls, "--http-protocols", "h2,h1"];
    await using server = await serveHttp2({ files: { "app.ts": sockets }, args });
    const client = new WebSocket(server.url.replace("https", "wss"), {
      tls: { rejectUnauthorized: false },
    } as unknown as string[]);
    const closed = new Promise<number>((resolve) => {
      client.addEventListener("close", ({ code }) => resolve(code));
    });
    const heard = new Promise<string>((resolve) => {
      client.addEventListener("message", ({ data }) => resolve(String(data)));
    });
    expect(await heard).toBe("welcome");
    expect(await ask(`${server.url}/`, "--http2")).toBe("2 200 none");
    expect(await server.stop()).toBe(0);
    expect(await closed).toBe(1001);

    const alone = [...tls, "--http-protocols", "h2"];
    await using refused = start({
      files: { "app.ts": sockets },
      args: ["-k", "serve", ...alone],
    });
    expect(await refused.process.exited).toBe(4);
    await refused.logged("app.ts: default: websockets need h1 in http_protocols");
  }, 300_000);
});

describeWith(["curl"], "HTTP/2 without TLS", () => {
  test("is for connections that begin with its preface", async () => {
    const args = ["--http2-cleartext", "prior-knowledge"];
    await using server = await serveHttp2({ files, args }, ["--http2-prior-knowledge"]);
    const { url } = server;
    expect(await ask(`${url}/a`, "--http2-prior-knowledge")).toBe("2 200 http:/a");
    // `Upgrade: h2c` is ignored.
    expect(await ask(`${url}/b`, "--http2")).toBe("1.1 200 http:/b");
    expect(await ask(`${url}/c`, "--http1.1")).toBe("1.1 200 http:/c");
    await server.logged(
      /"GET \/a HTTP\/2" 200 .*\n.*"GET \/b HTTP\/1.1" 200 .*\n.*"GET \/c HTTP\/1.1"/,
    );
    expect(await server.stop()).toBe(0);
  }, 300_000);

  test("alone, refuses HTTP/1.1", async () => {
    const args = ["--http2-cleartext", "prior-knowledge", "--http-protocols", "h2"];
    await using server = await serveHttp2({ files, args }, ["--http2-prior-knowledge"]);
    expect(await ask(`${server.url}/a`, "--http2-prior-knowledge")).toBe("2 200 http:/a");
    expect(await ask(`${server.url}/b`, "--http1.1")).toBe("1.1 505 ");
  }, 300_000);
});

describeWith(["curl", "nghttp"], "nghttp", () => {
  test("gets many answers of one connection, large ones and posted ones", async () => {
    const args = [...tls, "--http-protocols", "h2,h1"];
    await using server = await serveHttp2({ files, args });
    const { url } = server;
    const { code, output } = await nghttp2("nghttp", [
      "-ns",
      "-m",
      "100",
      `${url}/many`,
      `${url}/large`,
    ]);
    expect(code).toBe(0);
    expect(output.match(/ 200 .* \/many$/gm)).toHaveLength(100);
    expect(output.match(/ 200 +1M \/large$/gm)).toHaveLength(100);
    const posted = await nghttp2("nghttp", ["-d", process.execPath, `${url}/size`]);
    expect(posted.output).toBe(String(Bun.file(process.execPath).size));
    expect(await server.stop()).toBe(0);
  }, 300_000);
});

describeWith(["curl"], "the drain of HTTP/2", () => {
  const args = ["--http2-cleartext", "prior-knowledge", "--graceful-timeout", "60"];
  const prior = ["--http2-prior-knowledge"];

  test.each(["SIGTERM", "SIGHUP"] as const)(
    "%s: open streams are answered, and clients that keep their side open are left",
    async (signal) => {
      await using server = await serveHttp2({ files, args }, prior);
      const idle = connect(server.url);
      const busy = connect(server.url);
      const gone = [idle, busy].map((session) => {
        const told = Promise.withResolvers<number>();
        session.on("goaway", told.resolve);
        return told.promise;
      });
      // What ends the connections in the end is no error of theirs.
      for (const session of [idle, busy]) session.on("error", () => {});
      expect(await get(idle, "/first")).toEqual({ status: 200, body: "http:/first" });
      const slow = get(busy, "/slow");
      await server.logged("slow begins");
      // One that never closes, and never reads.
      const deaf = await Bun.connect({
        hostname: "127.0.0.1",
        port: server.port,
        allowHalfOpen: true,
        socket: { data() {} },
      });
      deaf.write(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1"));
      deaf.pause();
      const [old] = server.workers();
      server.kill(signal);
      expect(await Promise.all(gone)).toEqual([0, 0]);
      server.go();
      expect(await slow).toEqual({ status: 200, body: "slow ends" });
      if (signal === "SIGTERM") expect(await server.process.exited).toBe(0);
      else await until("the old worker to end", () => !server.workers().includes(old as number));
      expect(server.log).not.toContain("graceful_timeout");
      deaf.end();
      idle.destroy();
      busy.destroy();
    },
    300_000,
  );

  test("leaves websockets their time: to read, before they are cut", async () => {
    const flood = `const large = new Uint8Array(1 << 20);
    export default {
      fetch: (request, server) => server.upgrade(request) ? undefined : new Response("none"),
      websocket: {
        open(socket) {
          for (let count = 0; count < 12; count++) socket.send(large);
          console.error("all sent");
        },
        message() {},
      },
    };`;
    await using server = await serveHttp2({ files: { "app.ts": flood }, args }, prior);
    const { port } = server;
    const deaf = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    deaf.pause();
    deaf.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await server.logged("all sent");
    expect(await server.stop()).toBe(0);
    await server.logged("1 websockets closed before their clients had read all messages");
    deaf.terminate();
  }, 300_000);

  test("is cut at graceful_timeout when a stream doesn't end", async () => {
    const short = ["--http2-cleartext", "prior-knowledge", "--graceful-timeout", "2"];
    await using server = await serveHttp2({ files, args: short }, prior);
    const busy = connect(server.url);
    busy.on("error", () => {});
    const slow = get(busy, "/slow").catch((error: Error) => error);
    await server.logged("slow begins");
    expect(await server.stop()).toBe(0);
    expect(await slow).toBeInstanceOf(Error);
    busy.destroy();
  }, 300_000);
});
