import { describe, expect, test } from "bun:test";
import { curl } from "../support/peers.ts";
import { gunicorn, start, until, waitsForGo } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";

/** What an app may bring for Bun.serve. */
const app = `import page from "./page.html";
let closed = "";
export default {
  port: 1, hostname: "192.0.2.1", maxRequestBodySize: 10,
  routes: {
    "/r": new Response("static", { headers: { "x-a": "b" } }),
    "/f": (request, server) => new Response("function " + (server.port > 1)),
    "/users/:id": (request) => new Response("user " + request.params.id),
    "/w/*": () => new Response("wild"),
    "/m": { GET: () => new Response("get"), POST: async (request) => new Response(await request.text()) },
    "/page": page,
    "/file": Bun.file("file.txt"),
    "/throws": () => { throw new Error("on purpose"); },
    "/ws/:name": (request, server) => {
      if (server.upgrade(request, { data: { name: request.params.name } })) return;
      return new Response("no websocket", { status: 426 });
    },
    "/slow": async () => {
      console.error("slow begins");
      ${waitsForGo}
      return new Response("slow ends");
    },
  },
  fetch(request, server) {
    if (server.upgrade(request, { data: { name: "fetch" } })) return;
    return new Response("fetch " + closed, { status: 299 });
  },
  error: (error) => new Response("sorry: " + error.message, { status: 503 }),
  websocket: {
    open(socket) { socket.subscribe("all"); socket.send("welcome " + socket.data.name); },
    message(socket, text) { socket.publish("all", text); socket.send("echo " + text); },
    close(socket, code) { closed = String(code); console.error("closed with " + code); },
  },
};`;

const files = {
  "app.ts": app,
  "page.html": "<!doctype html><title>page</title>",
  "file.txt": "0123456789",
};
const args = ["-k", "serve", "--access-logfile", "-"];

async function ask(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { keepalive: false, ...init });
  return `${response.status} ${await response.text()}`;
}

describe("worker class serve", () => {
  test("serves the app's routes, and logs each request", async () => {
    await using server = await gunicorn({ files, args });
    const rows: [path: string, init: RequestInit, answer: string][] = [
      ["/r", {}, "200 static"],
      ["/r", {}, "200 static"],
      ["/r?q=1", { method: "HEAD" }, "200 "],
      ["/f", {}, "200 function true"],
      ["/users/7", {}, "200 user 7"],
      ["/w/a/b", {}, "200 wild"],
      ["/m", {}, "200 get"],
      ["/m", { method: "POST", body: "posted" }, "200 posted"],
      ["/m", { method: "PUT" }, "299 fetch "],
      ["/file", {}, "200 0123456789"],
      ["/file", { headers: { range: "bytes=2-4" } }, "206 234"],
      ["/throws", {}, "503 sorry: on purpose"],
      ["/ws/x", {}, "426 no websocket"],
      ["/other", {}, "299 fetch "],
    ];
    for (const [path, init, answer] of rows) {
      expect([path, await ask(server.url + path, init)]).toEqual([path, answer]);
      const status = answer.startsWith("206") ? "20[06]" : answer.slice(0, 3);
      const target = path.replace("?", "\\?");
      await server.logged(new RegExp(`"${init.method ?? "GET"} ${target} HTTP/1.1" ${status} `));
    }
    expect((await fetch(`${server.url}/r`)).headers.get("x-a")).toBe("b");
    expect(await ask(`${server.url}/page`)).toMatch(/^200 .*<title>page/s);
    expect(await ask(`${server.url}/m`, { method: "POST", body: "x".repeat(11) })).toMatch(/^413/);
    const { output } = await curl([`${server.url}/users/8`]);
    expect(output).toBe("user 8");
    expect(server.log).toContain("neither logged nor counted: /page");
    expect(server.log).toMatch(/: port \d+ isn't used: the server listens at the setting bind$/m);
    expect(server.log).toMatch(
      /: hostname \S+ isn't used: the server listens at the setting bind$/m,
    );
    expect(await server.stop()).toBe(0);
  }, 120_000);

  test("serves websockets, and closes them with 1001 when it stops", async () => {
    await using server = await gunicorn({ files, args });
    const one = new Client(`${server.url}/ws/one`);
    await one.hears("welcome one");
    const other = new Client(`${server.url}/elsewhere`);
    await other.hears("welcome fetch");
    one.send("to all");
    await one.hears("echo to all");
    await other.hears("to all");
    await server.logged(/"GET \/ws\/one HTTP\/1\.1" 101 0 /);
    await server.logged(/"GET \/elsewhere HTTP\/1\.1" 101 0 /);
    expect(await server.stop()).toBe(0);
    expect(await Promise.all([one.closed, other.closed])).toEqual([1001, 1001]);
    expect(server.log.match(/closed with 1001/g)).toHaveLength(2);
    expect(server.log).not.toContain("Error handling request");
    expect(server.log).not.toContain("graceful_timeout");
  }, 120_000);

  test("counts what routes answer for max_requests, and waits for it in the end", async () => {
    await using server = await gunicorn({ files, args: [...args, "--max-requests", "5"] });
    await until("the fifth request", async () => {
      // One that has come when the worker leaves is reset by Bun's stop().
      await ask(`${server.url}/r`).catch(() => null);
      return server.log.includes("Autorestarting worker after current request");
    });
    await server.logged(/Worker exiting/);
    const slow = ask(`${server.url}/slow`);
    await server.logged("slow begins");
    server.kill("SIGTERM");
    await server.logged("Handling signal: term");
    server.go();
    expect(await slow).toBe("200 slow ends");
    expect(await server.process.exited).toBe(0);
  }, 120_000);

  test.each([
    ["tls", "tls: {}", "tls: use the settings certfile and keyfile"],
    ["http2", "http2: true", "http2: use --worker-class serve --http-protocols h2,h1"],
  ])("refuses %s", async (_, option, says) => {
    const text = `export default { fetch: () => new Response(), ${option} };`;
    await using server = start({ files: { "app.ts": text }, args: ["-k", "serve"] });
    expect(await server.process.exited).toBe(4);
    await server.logged(says);
  });
});
