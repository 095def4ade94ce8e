// The proxies of examples/deploy with traffic through them: what they pass on, and reloads that nobody notices.
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { Deployment, example } from "../support/deployment.ts";
import { Load } from "../support/loads/load.ts";
import { describeWith, nginxCommand, temporaryPaths, toolPath } from "../support/peers.ts";
import { RawClient } from "../support/raw-client.ts";
import { allReplaced, type RunningServer, start, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";

const app = `
  async function fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/chat" && server.upgrade(request)) return;
    if (pathname === "/events") {
      let rest = 3;
      async function* events() { while (rest-- > 0) { yield "data: one\\n\\n"; await Bun.sleep(0); } }
      const headers = { "content-type": "text/event-stream", "x-accel-buffering": "no" };
      return new Response(events(), { headers });
    }
    if (pathname === "/facts") {
      return Response.json({
        host: new URL(request.url).host, scheme: new URL(request.url).protocol, peer: server.requestIP(request)?.address ?? null,
        for: request.headers.get("x-forwarded-for"),
      });
    }
    await request.text();
    return new Response("hello");
  }
  const websocket = { message(socket, text) { socket.send("heard " + text); } };
  export default { fetch, websocket };
`;

/** What a configuration has of an instance. */
type Instance = Pick<RunningServer, "port"> & Partial<Pick<RunningServer, "folder">>;

interface Way {
  readonly tool: string;
  readonly bind: (index: number) => string;
  readonly args: readonly string[];
  readonly instances: number;
  readonly run: (proxy: Deployment, port: number, servers: readonly Instance[]) => void;
  /** What the app learns of a client at 127.0.0.1. */
  readonly seen: { readonly peer: string | null; readonly for: string };
}

const ways: readonly Way[] = [
  {
    tool: "nginx",
    bind: () => "unix:web.sock",
    args: ["--keep-alive", "10"],
    instances: 1,
    run(proxy, port, [server]) {
      const { folder } = proxy;
      for (const name of ["log", "tmp"]) mkdirSync(join(folder, name));
      const text = example("nginx.conf", {
        // An ordinary user may not become another one.
        "user www-data;": "daemon off;",
        "pid /run/nginx.pid;": `pid ${folder}/nginx.pid;`,
        "/var/log/nginx/error.log": "stderr",
        "access_log /var/log/nginx/access.log;": `access_log off;\n${temporaryPaths(`${folder}/tmp`)}`,
        "unix:/run/web/web.sock": `unix:${server!.folder}/web.sock`,
        "listen 80 default_server;": `listen 127.0.0.1:${port} default_server;`,
        "/srv/web/public": folder,
      });
      proxy.run(nginxCommand(folder, proxy.write("nginx.conf", text)));
    },
    seen: { peer: null, for: "127.0.0.1" },
  },
  {
    tool: "haproxy",
    bind: () => "127.0.0.1:0",
    args: ["--keep-alive", "10", "--proxy-protocol", "v2"],
    instances: 2,
    run(proxy, port, [one, two]) {
      const text = example("haproxy.cfg", {
        "bind :80": `bind 127.0.0.1:${port}`,
        "127.0.0.1:8001": `127.0.0.1:${one!.port}`,
        "127.0.0.1:8002": `127.0.0.1:${two!.port}`,
      });
      proxy.run([toolPath("haproxy")!, "-db", "-f", proxy.write("haproxy.cfg", text)]);
    },
    seen: { peer: "127.0.0.1", for: "127.0.0.1" },
  },
  {
    tool: "caddy",
    bind: () => "unix:web.sock",
    args: ["--keep-alive", "10"],
    instances: 1,
    run(proxy, port, [server]) {
      const text = example("Caddyfile", {
        ":80 {": `{\n\tadmin off\n\tauto_https off\n}\nhttp://:${port} {\n\tbind 127.0.0.1`,
        "unix//run/web/web.sock": `unix/${server!.folder}/web.sock`,
        "/srv/web/public": proxy.folder,
      });
      const file = proxy.write("Caddyfile", text);
      proxy.run([toolPath("caddy")!, "run", "--adapter", "caddyfile", "--config", file]);
    },
    seen: { peer: null, for: "127.0.0.1" },
  },
];

async function accepts(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { keepalive: false }).catch(() => null);
  return answer?.status === 200;
}

async function started(way: Way): Promise<RunningServer[]> {
  const servers = Array.from({ length: way.instances }, (_, index) =>
    start({ files: { "app.ts": app }, bind: [way.bind(index)], args: ["-w", "2", ...way.args] }),
  );
  for (const server of servers) {
    await server.logged("Using worker:");
    await server.settled(2);
  }
  return servers;
}

/** HUP, and the wait for workers that are all others. */
async function reload(server: RunningServer): Promise<void> {
  const before = server.workers();
  server.kill("SIGHUP");
  await allReplaced(() => server.workers(), before);
}

for (const way of ways) {
  describeWith([way.tool], `examples/deploy: ${way.tool}`, () => {
    test("passes on who asks and how, files, events and websockets; reloads lose nothing", async () => {
      const servers = await started(way);
      await using stack = new AsyncDisposableStack();
      for (const server of servers) stack.use(server);
      await using proxy = new Deployment();
      const port = freePort();
      way.run(proxy, port, servers);
      await until(`${way.tool} to answer`, () => accepts(port)).catch((error: Error) => {
        throw new Error(`${error.message}\n${proxy.log}`);
      });

      const url = `http://127.0.0.1:${port}`;
      const facts = await (
        await fetch(`${url}/facts`, { headers: { "x-forwarded-for": "10.1.1.1" } })
      ).json();
      expect(facts).toEqual({ host: `127.0.0.1:${port}`, scheme: "http:", ...way.seen });

      using listener = await RawClient.connect(port);
      const events = await listener.ask("GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
      expect(events.body.toString()).toBe("data: one\n\n".repeat(3));

      const socket = new Client(`${url}/chat`);
      await until("the websocket to open", () => socket.isOpen);
      socket.send("a word");
      await socket.hears("heard a word");

      const load = new Load({ port, fresh: 3, kept: 3, posting: 2, expected: "hello" });
      for (const server of servers) {
        await load.more(200);
        await reload(server);
        await load.more(200);
      }
      const { failures } = await load.stop();
      expect(failures).toEqual([]);
      // A reload ends websockets with 1001, as a browser that reconnects expects; proxies may only pass the end on.
      expect([1001, 1006]).toContain(await socket.closed);
    });
  });
}

describeWith(
  ["haproxy"],
  "examples/deploy: haproxy, and instances that die of each request",
  () => {
    /** Answers health checks, reads any other request, and closes. */
    function dying(asked: string[]): Bun.TCPSocketListener {
      return Bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        socket: {
          data(socket, bytes) {
            // Behind a PROXY header, whose last byte may be a letter.
            const [, method = "", path] = requestLine.exec(bytes.toString("latin1")) ?? [];
            if (path === "/health") {
              socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            } else if (path === "/") {
              asked.push(method);
              socket.end();
            }
          },
        },
      });
    }

    const rows: [method: string, times: number][] = [
      ["GET", 4],
      ["HEAD", 4],
      ["OPTIONS", 4],
      ["POST", 1],
      ["PUT", 1],
      ["PATCH", 1],
      ["DELETE", 1],
    ];
    const methods = rows.map(([method]) => method).join("|");
    const requestLine = new RegExp(`(${methods}) (/\\S*) HTTP/1\\.1\\r\\n`);

    test.each(rows)("%s is asked %i times", async (method, times) => {
      const asked: string[] = [];
      using one = dying(asked);
      using two = dying(asked);
      await using proxy = new Deployment();
      const port = freePort();
      ways.find(({ tool }) => tool === "haproxy")!.run(proxy, port, [one, two]);
      // HAProxy itself answers with 502, or closes.
      const ask = () =>
        fetch(`http://127.0.0.1:${port}/`, { method, keepalive: false }).catch(() => null);
      await until("an instance to be asked", async () => {
        await ask();
        return asked.length > 0;
      });
      expect(asked).toEqual(Array(times).fill(method));
    });
  },
);
