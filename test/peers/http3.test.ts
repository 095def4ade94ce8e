/** HTTP/3 of worker class serve, with aioquic as the client. `.ci/tools` fetches it. */
import { afterAll, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { join } from "node:path";
import { Certificates } from "../support/certificates.ts";
import { ask, serveHttp2 } from "../support/http2.ts";
import { describeWith, toolPath } from "../support/peers.ts";
import { until, waitsForGo } from "../support/server.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());
const own = certificates.make({ names: ["IP:127.0.0.1"] });
const tls = ["--certfile", own.certfile, "--keyfile", own.keyfile];
const args = [...tls, "--http-protocols", "h3,h2,h1", "--graceful-timeout", "60"];

const app = `export default {
  websocket: { message() {} },
  async fetch(request, server) {
    const { pathname, protocol } = new URL(request.url);
    if (pathname === "/size") return new Response(String((await request.bytes()).length));
    if (pathname === "/own") return new Response("own", { headers: { "alt-svc": "clear" } });
    if (pathname === "/upgrade") return new Response(String(server.upgrade(request)));
    if (pathname === "/timeout") server.timeout(request, 9);
    if (pathname === "/pid") return new Response(String(process.pid));
    if (pathname === "/throws") throw new Error("on purpose");
    if (pathname === "/slow") {
      console.error("slow begins");
      ${waitsForGo}
      return new Response("slow ends " + process.pid);
    }
    return new Response(protocol + pathname + " " + server.requestIP(request).address);
  },
};`;
const files = { "app.ts": app };

interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One process with any number of connections, each by its name. */
class Http3Client implements Disposable {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly Answer[]>>();
  #count = 0;

  /** @param certificate paths of a certificate and its key, to show when asked */
  constructor(port: number, certificate: readonly string[] = []) {
    const script = join(import.meta.dir, "../support/http3-client.py");
    const words = [String(toolPath("aioquic-python")), script, String(port), ...certificate];
    this.#process = Bun.spawn(words, { stdio: ["pipe", "pipe", "inherit"] });
    void this.#hear();
  }

  async #hear(): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const part of this.#process.stdout) {
      const lines = (text + decoder.decode(part, { stream: true })).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const [number, answers] = JSON.parse(line) as [number, readonly Answer[] | string];
        const waiting = this.#waiting.get(number);
        if (typeof answers === "string") waiting?.reject(new Error(answers));
        else waiting?.resolve(answers);
      }
    }
  }

  /** So many requests at once, by a connection that is made when its name is new. */
  many(connection: string, path: string, count: number, body = 0): Promise<readonly Answer[]> {
    const number = this.#count++;
    const waiting = Promise.withResolvers<readonly Answer[]>();
    this.#waiting.set(number, waiting);
    const method = body > 0 ? "POST" : "GET";
    const command = JSON.stringify([number, connection, method, path, body, count]);
    this.#process.stdin.write(`${command}\n`);
    void this.#process.stdin.flush();
    return waiting.promise;
  }

  async get(connection: string, path: string, body = 0): Promise<string> {
    const [answer] = await this.many(connection, path, 1, body);
    return `${answer?.status} ${answer?.body}`;
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGKILL");
  }
}

describeWith(["curl", "aioquic-python"], "HTTP/3", () => {
  test("serves requests one by one, large ones, and a hundred at a time", async () => {
    await using server = await serveHttp2({ files, args });
    using client = new Http3Client(server.port);
    expect(await client.get("one", "/a")).toBe("200 https:/a 127.0.0.1");
    await server.logged('"GET /a HTTP/3" 200 ');
    expect(await client.get("one", "/size", 1 << 20)).toBe(`200 ${1 << 20}`);
    await server.logged('"POST /size HTTP/3" 200 7 ');
    const answers = await client.many("one", "/b", 100);
    expect(answers.map(({ body }) => body)).toEqual(Array(100).fill("https:/b 127.0.0.1"));
    expect(await client.get("two", "/upgrade")).toBe("200 false");
    expect(await client.get("two", "/timeout")).toBe("200 https:/timeout 127.0.0.1");
    expect(await client.get("two", "/throws")).toBe("500 Internal Server Error");
    await server.logged("Error handling request GET /throws");
    expect(await server.stop()).toBe(0);
  }, 300_000);

  test("is told of by Alt-Svc of the other protocols, once, and not by its own", async () => {
    await using server = await serveHttp2({ files, args });
    const { port, url } = server;
    for (const version of ["--http2", "--http1.1"]) {
      const said = await ask(`${url}/a`, version, "-i");
      const [, ...values] = said.split(/^alt-svc: /im).map((text) => text.split("\r")[0]);
      expect([version, ...values]).toEqual([version, `h3=":${port}"; ma=86400`]);
      expect(await ask(`${url}/own`, version, "-i")).toMatch(/\nalt-svc: clear\r/i);
    }
    using client = new Http3Client(port);
    const [answer] = await client.many("one", "/a", 1);
    expect(Object.keys(answer?.fields ?? {})).not.toContain("alt-svc");
  }, 300_000);

  test("goes on through HUP: what is under way is answered, and then the successor has the port", async () => {
    await using server = await serveHttp2({ files, args });
    const [old] = server.workers();
    using client = new Http3Client(server.port);
    expect(await client.get("one", "/pid")).toBe(`200 ${old}`);
    const slow = client.many("one", "/slow", 10);
    // All of them: a stream that comes behind the signal isn't served.
    await server.logged(/(?:slow begins[^]*){10}/);
    server.kill("SIGHUP");
    await server.logged("HTTP/3 waits, another process has UDP 127.0.0.1:");
    // TCP is the successor's, without a word about HTTP/3 before it has the port.
    const during = await until("the successor to answer", async () => {
      const said = await ask(`${server.url}/pid`, "--http2", "-i");
      return said.endsWith(String(old)) || !said.startsWith("2 200") ? null : said;
    });
    expect(during).not.toContain("alt-svc");
    server.go();
    const bodies = (await slow).map(({ body }) => body);
    expect(bodies).toEqual(Array(10).fill(`slow ends ${old}`));
    await server.logged("the port is free now");
    const [successor] = await server.settled(1);
    expect(successor).not.toBe(old);
    expect(await client.get("two", "/pid")).toBe(`200 ${successor}`);
    expect(await ask(`${server.url}/pid`, "--http2", "-i")).toContain("alt-svc");
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("graceful_timeout");
  }, 300_000);

  test("stays with the first worker when TTIN adds another one", async () => {
    await using server = await serveHttp2({ files, args });
    const [first] = server.workers();
    using client = new Http3Client(server.port);
    expect(await client.get("one", "/pid")).toBe(`200 ${first}`);
    server.kill("SIGTTIN");
    await server.logged("HTTP/3 is for the worker of slot 0: this one serves the other protocols");
    // New addresses of the client, which the kernel would spread over several sockets.
    for (let count = 0; count < 20; count++)
      expect(await client.get(`after ${count}`, "/pid")).toBe(`200 ${first}`);
    expect(await client.get("one", "/pid")).toBe(`200 ${first}`);
  }, 300_000);

  test("asks clients for certificates as TCP does", async () => {
    const authority = certificates.make({ name: "Authority", ca: true });
    const known = certificates.make({ name: "known", by: authority });
    const foreign = certificates.make({ name: "foreign" });
    const asks = ["--cert-reqs", "2", "--ca-certs", authority.certfile];
    const shown = ["--cert", known.certfile, "--key", known.keyfile];
    await using server = await serveHttp2({ files, args: [...args, ...asks] }, shown);
    const { url, port } = server;
    expect(await ask(`${url}/a`, "--http2", ...shown)).toBe("2 200 https:/a 127.0.0.1");
    const without = await ask(`${url}/tcp-none`, "--http2");
    expect(without).toStartWith("curl: ");
    const wrong = ["--cert", foreign.certfile, "--key", foreign.keyfile];
    expect(await ask(`${url}/tcp-foreign`, "--http2", ...wrong)).toStartWith("curl: ");
    using welcome = new Http3Client(port, [known.certfile, known.keyfile]);
    expect(await welcome.get("one", "/b")).toBe("200 https:/b 127.0.0.1");
    using none = new Http3Client(port);
    await expect(none.get("one", "/udp-none")).rejects.toThrow();
    using stranger = new Http3Client(port, [foreign.certfile, foreign.keyfile]);
    await expect(stranger.get("one", "/udp-foreign")).rejects.toThrow();
    expect(await welcome.get("one", "/c")).toBe("200 https:/c 127.0.0.1");
    await server.logged('"GET /c HTTP/3"');
    expect(server.log).not.toMatch(/(tcp|udp)-(none|foreign)/);
  }, 300_000);
});

describeWith(["curl"], "HTTP/3 whose port another program has", () => {
  test("waits for it, and the rest is served", async () => {
    // An address where no other test has a port.
    const host = "127.93.0.7";
    const other = createSocket("udp4");
    const port = await new Promise<number>((resolve) => {
      other.bind(0, host, () => resolve(other.address().port));
    });
    await using server = await serveHttp2({ files, args, bind: [`${host}:${port}`] });
    await server.logged(`HTTP/3 waits, another process has UDP ${host}:${port}: `);
    expect(await ask(`${server.url}/a`, "--http2", "-i")).not.toContain("alt-svc");
    other.close();
    await server.logged(`HTTP/3 at UDP ${host}:${port}, the port is free now`);
    expect(await ask(`${server.url}/a`, "--http2", "-i")).toContain("alt-svc");
    expect(await server.stop()).toBe(0);
  }, 300_000);
});
