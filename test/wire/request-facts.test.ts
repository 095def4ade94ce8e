import { describe, expect, test } from "bun:test";
import { field, type RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import {
  columns,
  get,
  post,
  requestText,
  rowsFor,
  testUnless,
  useWire,
  type WireRow,
} from "../support/wire.ts";

interface Facts {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly isRequest: boolean;
}

interface Row extends WireRow {
  readonly request: string;
  readonly method?: string;
  /** PORT stands for the server's. */
  readonly url?: string;
  readonly headers?: readonly (readonly [string, string])[];
}

const rows: readonly Row[] = [
  {
    claim: "path and query",
    request: get("/inspect?a=1&b=%20"),
    url: "http://test/inspect?a=1&b=%20",
  },
  {
    claim: "Host with a port",
    request: "GET /inspect HTTP/1.1\r\nHost: example.com:8080\r\n\r\n",
    url: "http://example.com:8080/inspect",
  },
  {
    claim: "the absolute form names the host",
    request: "GET http://other:81/inspect?q HTTP/1.1\r\nHost: test\r\n\r\n",
    url: "http://other:81/inspect?q",
    notServe: "Bun.serve puts it behind Host",
  },
  {
    claim: "no Host on 1.0: the server's own address",
    request: "GET /inspect HTTP/1.0\r\n\r\n",
    url: "http://127.0.0.1:PORT/inspect",
  },
  {
    claim: "dot segments are resolved",
    request: get("/x/../inspect"),
    url: "http://test/inspect",
  },
  {
    claim: "fields in lower case, values trimmed, in order",
    request: get("/inspect", "X-B:  two words \t", "X-A: 1", "X-B: 3"),
    headers: [
      ["host", "test"],
      ["x-a", "1"],
      ["x-b", "two words, 3"],
    ],
  },
  {
    claim: "cookies are joined by semicolons",
    request: get("/inspect", "Cookie: a=1", "Cookie: b=2"),
    headers: [
      ["cookie", "a=1; b=2"],
      ["host", "test"],
    ],
  },
  { claim: "PUT", request: requestText("PUT", "/inspect", ["Content-Length: 0"]), method: "PUT" },
  { claim: "OPTIONS of a path", request: requestText("OPTIONS", "/inspect"), method: "OPTIONS" },
  {
    claim: "a method of the app's own",
    request: requestText("REPORT", "/inspect"),
    method: "REPORT",
  },
  {
    claim: "a method that nobody registered",
    request: requestText("FROBNICATE", "/inspect"),
    method: "FROBNICATE",
    notServe: "Bun.serve takes registered methods only",
  },
];

describe.each(columns)("-k %s over %s: a Request says", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "requests.ts" });
  const scheme = transport === "TLS" ? "https:" : "http:";

  async function inspect<Answered>(request: string): Promise<Answered> {
    return JSON.parse((await wire.ask(request)).body.toString()) as Answered;
  }

  test.each(rowsFor(kind, rows))("%s", async (_claim, { request, url, method, headers }) => {
    const facts = await inspect<Facts>(request);
    expect(facts.isRequest).toBe(true);
    if (method !== undefined) expect(facts.method).toBe(method);
    if (url !== undefined) {
      const port = String(wire.server.port);
      expect(facts.url).toBe(url.replace("http:", scheme).replace("PORT", port));
    }
    if (headers !== undefined) expect(facts.headers.toSorted()).toEqual([...headers]);
  });

  // Bun.serve refuses it.
  testUnless(kind === "serve")("OPTIONS * reaches the app, as the path /", async () => {
    const answer = await wire.ask(requestText("OPTIONS", "*"));
    expect([answer.status, answer.body.toString()]).toEqual([200, "hello"]);
  });

  test("server: hostname, port, url, pendingRequests, requestIP", async () => {
    const { port } = wire.server;
    // The end of an answer is the client's before it is the server's.
    await until("nobody else", async () => {
      return (await inspect<{ pendingRequests: number }>(get("/server"))).pendingRequests === 1;
    });
    using client = await wire.connect();
    const answer = await client.ask(get("/server"));
    expect(JSON.parse(answer.body.toString())).toEqual({
      hostname: "127.0.0.1",
      port,
      url: `${scheme}//127.0.0.1:${port}/`,
      isUrl: true,
      pendingRequests: 1,
      requestIP: { address: "127.0.0.1", family: "IPv4", port: client.port },
      foreign: null,
    });
  });

  test("server.pendingRequests counts those under way", async () => {
    const waiting: RawClient[] = [];
    for (let number = 0; number < 3; number++) {
      const client = await wire.connect();
      client.send(get("/wait?pending"));
      waiting.push(client);
    }
    await until("three requests under way", async () => {
      return (await inspect<{ pendingRequests: number }>(get("/server"))).pendingRequests === 4;
    });
    await wire.ask(get("/open-gate?pending"));
    for (const client of waiting) {
      expect((await client.answer()).body.toString()).toBe("waited");
      client[Symbol.dispose]();
    }
    await until("none but the one that asks", async () => {
      return (await inspect<{ pendingRequests: number }>(get("/server"))).pendingRequests === 1;
    });
  });

  test("server.stop() is refused with a sentence", async () => {
    const { body } = await wire.ask(get("/stop"));
    expect(body.toString()).toBe(
      "server.stop() is not supported: the master stops its workers, send it the signal TERM",
    );
  });

  // Bun.serve counts its timeouts in steps of four seconds.
  testUnless(kind === "serve")("server.timeout() ends a request that takes longer", async () => {
    using client = await wire.connect();
    client.send(get("/timeout"));
    expect(await client.ended()).toBeOneOf(["fin", "reset"]);
    expect(client.unread).toBe(0);
  });

  async function noted(name: string): Promise<number> {
    return (await inspect<Record<string, number>>(get("/notes")))[name] ?? 0;
  }

  test.each(["reset", "end"] as const)(
    "signal: aborted when the client leaves by %s",
    async (way) => {
      const [started, aborted] = [await noted("signal"), await noted("aborted")];
      using client = await wire.connect();
      client.send(get("/signal"));
      await until("the app to wait", async () => (await noted("signal")) > started);
      if (way === "reset") client.reset();
      else client[Symbol.dispose]();
      await until("the abort", async () => (await noted("aborted")) > aborted);
    },
  );

  test("signal: an app that rejects with the abort's reason is no error", async () => {
    const mark = wire.server.log.length;
    const started = await noted("signal");
    using client = await wire.connect();
    client.send(get("/signal-fetch"));
    await until("the app to wait", async () => (await noted("signal")) > started);
    client.reset();
    await until("the end of the request", async () => {
      return (await inspect<{ pendingRequests: number }>(get("/server"))).pendingRequests === 1;
    });
    if (kind === "async") expect(wire.server.log.slice(mark)).not.toContain("[ERROR]");
  });

  test("a body that breaks off rejects whoever reads it, and is no error of the app", async () => {
    const mark = wire.server.log.length;
    const before = await noted("broken-body");
    const rejected = await noted("broken-body AbortError");
    using client = await wire.connect();
    client.send(post("/broken-body", "some").replace("Length: 4", "Length: 10"));
    await until("the app to read", async () => (await noted("broken-body")) > before);
    client.reset();
    await until("the rejection", async () => (await noted("broken-body AbortError")) > rejected);
    if (kind === "async") expect(wire.server.log.slice(mark)).not.toContain("[ERROR]");
  });

  testUnless(kind === "serve")(
    "a body that turns out broken gets its 400, app or not",
    async () => {
      for (const path of ["/broken-body", "/unread-later", "/echo"]) {
        using client = await wire.connect();
        client.send(`${requestText("POST", path, ["Transfer-Encoding: chunked"])}4\r\nsomeXX`);
        if (path === "/echo") {
          // The answer is on the way: it ends without a last chunk.
          const answer = await client.answer().catch(() => null);
          expect(answer?.status === 400 || answer?.complete === false || answer === null).toBe(
            true,
          );
        } else {
          const answer = await client.answer();
          expect([answer.status, field(answer, "connection")]).toEqual([400, "close"]);
        }
        await client.ended();
      }
    },
  );
});
