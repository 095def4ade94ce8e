import { expect, test } from "bun:test";
import { join } from "node:path";
import { Load } from "../support/loads/load.ts";
import {
  describeWith,
  mirrorApp,
  mirrored,
  nginx,
  repeatedText,
  sha256,
} from "../support/peers.ts";
import { field, RawClient } from "../support/raw-client.ts";
import { allReplaced, gunicorn, type RunningServer, start, until } from "../support/server.ts";

const app = { files: { "app.ts": mirrorApp } };

/** The requests that 200 are made of: what is sent, and the length that the app must measure. */
const kinds: readonly { method: string; head: string; body: string; bytes: number }[] = [
  { method: "GET", head: "", body: "", bytes: 0 },
  { method: "POST", head: "Content-Length: 11\r\n", body: "hello world", bytes: 11 },
  {
    method: "POST",
    head: "Transfer-Encoding: chunked\r\n",
    // Longer than nginx reads at once: what it has whole it passes on with a Content-Length.
    body: `5\r\nhello\r\n${"186a0;x=y\r\n" + "x".repeat(100_000)}\r\n0\r\n\r\n`,
    bytes: 100_005,
  },
  {
    method: "PUT",
    head: "Content-Length: 200000\r\n",
    body: "x".repeat(200_000),
    bytes: 200_000,
  },
  { method: "HEAD", head: "", body: "", bytes: 0 },
];

describeWith(["nginx"], "nginx in front", () => {
  const schemes: readonly { claim: string; args: string[]; sent?: string; answer: string }[] = [
    { claim: "a trusted proxy's https", args: [], answer: "https" },
    {
      claim: "https of a trusted network",
      args: ["--forwarded-allow-ips", "127.0.0.0/8"],
      answer: "https",
    },
    {
      claim: "http when others are trusted",
      args: ["--forwarded-allow-ips", "10.0.0.1"],
      answer: "http",
    },
    {
      claim: "400 when the client contradicts the proxy",
      args: [],
      sent: "X-Forwarded-Ssl: off\r\n",
      answer: "400",
    },
    {
      claim: "what clients add doesn't matter when the proxy isn't trusted",
      args: ["--forwarded-allow-ips", "10.0.0.1"],
      sent: "X-Forwarded-Ssl: off\r\n",
      answer: "http",
    },
  ];
  test.each([...schemes])("scheme: $claim", async ({ args, sent = "", answer }) => {
    await using server = await gunicorn({ ...app, args });
    await using proxy = await nginx(server.port);
    using client = await RawClient.connect(proxy.port);
    const got = await client.ask(`GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n${sent}\r\n`);
    if (answer === "400") return expect(got.status).toBe(400);
    expect(got.status).toBe(200);
    expect(mirrored(got.body.toString()).url).toBe(`${answer}://example.com/a?b=c`);
  });

  test("SCRIPT_NAME of a trusted proxy is the mount; the same from another peer is dropped", async () => {
    for (const [args, path] of [
      [[], "/page"],
      [["--forwarded-allow-ips", "10.0.0.1"], "/api/page"],
    ] as const) {
      await using server = await gunicorn({ ...app, args });
      await using proxy = await nginx(server.port, "proxy_set_header SCRIPT_NAME /api;");
      using client = await RawClient.connect(proxy.port);
      const { body } = await client.ask("GET /api/page HTTP/1.1\r\nHost: test\r\n\r\n");
      expect(new URL(mirrored(body.toString()).url).pathname).toBe(path);
    }
  });

  test("200 requests with and without bodies, over kept connections to three workers", async () => {
    await using server = await gunicorn({ ...app, args: ["-w", "3", "--keep-alive", "300"] });
    const workers = await server.settled(3);
    await using proxy = await nginx(server.port, "proxy_request_buffering off;");
    const connections = new Set<string>();
    let answered = 0;
    const run = async (offset: number): Promise<void> => {
      using client = await RawClient.connect(proxy.port);
      for (let count = 0; count < 25; count++) {
        const kind = kinds[(offset + count) % kinds.length]!;
        const { method, head, body, bytes } = kind;
        const path = `/${offset}/${count}`;
        const answer = await client.ask(
          `${method} ${path} HTTP/1.1\r\nHost: test\r\n${head}\r\n${body}`,
          method,
        );
        expect([answer.status, field(answer, "x-method")]).toEqual([200, method]);
        answered += 1;
        if (method === "HEAD") {
          expect(Number(field(answer, "content-length"))).toBeGreaterThan(100);
          continue;
        }
        const seen = mirrored(answer.body.toString());
        expect([seen.method, seen.url, seen.body.bytes]).toEqual([
          method,
          `https://test${path}`,
          bytes,
        ]);
        expect(seen.headers["transfer-encoding"] ?? "none").toBe(
          head.startsWith("Transfer") ? "chunked" : "none",
        );
        expect(workers).toContain(seen.pid);
        connections.add(`${seen.pid} ${seen.peer.port}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, offset) => run(offset)));
    expect(answered).toBe(200);
    // Eight at a time: without keep-alive towards the server there would be about 160.
    expect(connections.size).toBeLessThanOrEqual(16);
    expect(proxy.log).toBe("");
    expect(server.workers().sort()).toEqual(workers.sort());
  });

  test("a large streamed response and a large upload arrive whole", async () => {
    await using server = await gunicorn(app);
    await using proxy = await nginx(server.port, "proxy_max_temp_file_size 0;");
    using client = await RawClient.connect(proxy.port);
    const large = await client.ask("GET /large HTTP/1.1\r\nHost: test\r\n\r\n");
    expect([large.complete, sha256(large.body)]).toEqual([true, sha256(repeatedText(20_000_000))]);
    const body = Buffer.from(repeatedText(20_000_000));
    client.send(`POST / HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.send(body);
    const { body: answer } = await client.answer();
    expect(mirrored(answer.toString()).body).toEqual({ bytes: body.length, sha256: sha256(body) });
  });

  test("server-sent events arrive one by one", async () => {
    const events = `let next = Promise.withResolvers();
      export const fetch = (request) => {
        if (request.url.endsWith("/next")) { next.resolve(); next = Promise.withResolvers(); return new Response("ok"); }
        if (!request.url.endsWith("/events")) return new Response("ok");
        async function* stream() {
          for (let id = 1; id <= 5; id++) { const waited = next.promise; yield "data: event " + id + "\\n\\n"; await waited; }
        }
        return new Response(stream(), { headers: { "content-type": "text/event-stream" } });
      };`;
    await using server = await gunicorn({ files: { "app.ts": events } });
    await using proxy = await nginx(server.port, "proxy_buffering off;");
    using listener = await RawClient.connect(proxy.port);
    using sender = await RawClient.connect(proxy.port);
    listener.send("GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
    for (let id = 1; id <= 5; id++) {
      await listener.seen(`data: event ${id}\n\n`);
      // The next event isn't there before it was asked for.
      await sender.ask("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
      expect(await listener.peek(1)).not.toContain(`event ${id + 1}`);
      await sender.ask("GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    const all = await listener.answer();
    expect([all.complete, all.body.toString().match(/data: /g)?.length]).toEqual([true, 5]);
  });

  test("a reload by HUP under load through nginx loses no request", async () => {
    const hello = `export const fetch = async (request) => new Response((await request.text()) || "hello");`;
    await using server = await gunicorn({ files: { "app.ts": hello }, args: ["-w", "3"] });
    const workers = await server.settled(3);
    await using proxy = await nginx(server.port);
    await reloadsUnderLoad(server, proxy, workers);
  }, 120_000);

  test("over a unix socket: all three workers get work, and a reload under load loses no request", async () => {
    const pids = `export const fetch = async (request) => {
      if (new URL(request.url).pathname === "/pid") { Bun.sleepSync(5); return new Response(process.pid); }
      return new Response((await request.text()) || "hello");
    };`;
    await using server = start({
      files: { "app.ts": pids },
      bind: ["unix:app.sock"],
      args: ["-w", "3"],
    });
    await server.logged("Listening at: unix:app.sock");
    const workers = await server.settled(3);
    const unix = join(server.folder, "app.sock");
    // nginx keeps the connections that it has: all three must serve before it makes them.
    await workForAll(3, () => fetch("http://localhost/pid", { keepalive: false, unix }));
    await using proxy = await nginx(unix);
    const url = `http://127.0.0.1:${proxy.port}/pid`;
    const seen = await workForAll(3, () => fetch(url, { keepalive: false }));
    expect([...seen].sort()).toEqual(workers.toSorted());
    await reloadsUnderLoad(server, proxy, workers);
  }, 120_000);
});

/** Three times HUP, with clients before, during and after it: none may notice. */
async function reloadsUnderLoad(
  server: RunningServer,
  proxy: Awaited<ReturnType<typeof nginx>>,
  first: readonly number[],
): Promise<void> {
  let workers = first;
  const load = new Load({ port: proxy.port, fresh: 4, kept: 4, expected: "hello" });
  // nginx sends a GET again when a kept connection ends under it, and doesn't a POST.
  const posts = new PostLoop(proxy.port);
  const running = Promise.all([posts.run(), posts.run()]);
  for (let round = 0; round < 3; round++) {
    await load.more(200);
    server.kill("SIGHUP");
    await allReplaced(() => server.workers(), workers);
    workers = server.workers();
    await load.more(200);
  }
  posts.stopped = true;
  await running;
  const { requests, failures } = await load.stop();
  expect(failures).toEqual([]);
  expect(posts.failures).toEqual([]);
  expect(requests).toBeGreaterThanOrEqual(1200);
  expect(posts.requests).toBeGreaterThanOrEqual(100);
  expect(proxy.log).toBe("");
}

/** Asks for pids, nine at a time, until so many workers have answered. */
async function workForAll(count: number, ask: () => Promise<Response>): Promise<Set<number>> {
  const seen = new Set<number>();
  await until(`work for all ${count}`, async () => {
    const asked = Array.from({ length: 9 }, async () =>
      seen.add(Number(await (await ask()).text())),
    );
    await Promise.all(asked);
    return seen.size === count;
  });
  return seen;
}

class PostLoop {
  requests = 0;
  stopped = false;
  readonly failures: string[] = [];
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      using client = await RawClient.connect(this.#port);
      for (let left = 50; left > 0 && !this.stopped; left--) {
        const body = `post ${left}`;
        const answer = await client
          .ask(`POST / HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
          .catch((error: Error) => error);
        if (answer instanceof Error) {
          this.failures.push(answer.message);
          break;
        }
        if (answer.status === 200 && answer.body.toString() === body) this.requests += 1;
        else this.failures.push(`${answer.status} ${answer.body}`);
      }
    }
  }
}
