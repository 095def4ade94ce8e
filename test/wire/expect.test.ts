import { describe, expect, test } from "bun:test";
import { field } from "../support/raw-client.ts";
import { columns, get, requestText, testUnless, useWire } from "../support/wire.ts";

const wanted = "Expect: 100-continue";

function expecting(path: string, size: number, ...lines: string[]): string {
  return requestText("POST", path, [`Content-Length: ${size}`, wanted, ...lines]);
}

describe.each(columns)("-k %s over %s: Expect", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "requests.ts" });

  test.each(["/text", "/echo", "/read-later", "/bytes", "/clone"])(
    "100 Continue comes before the body is sent: %s",
    async (path) => {
      using client = await wire.connect();
      const first = await client.ask(expecting(path, 4));
      expect([first.status, first.head]).toEqual([100, "HTTP/1.1 100 Continue"]);
      const answer = await client.ask("body");
      expect(answer.body.toString()).toBe(path === "/clone" ? "body|body" : "body");
      expect((await client.ask(get("/"))).status).toBe(200);
    },
  );

  test("100 Continue comes for a chunked body too", async () => {
    using client = await wire.connect();
    const head = requestText("POST", "/text", ["Transfer-Encoding: chunked", wanted]);
    expect((await client.ask(head)).status).toBe(100);
    expect((await client.ask("4\r\nbody\r\n0\r\n\r\n")).body.toString()).toBe("body");
  });

  // Bun.serve sends 100 Continue before it asks the app.
  const lazily = testUnless(kind === "serve");

  lazily("100 Continue comes when the app reads, not before", async () => {
    using client = await wire.connect();
    const before = (await notes()).waiting ?? 0;
    client.send(expecting("/read-at-gate?expect", 4));
    while ((await notes()).waiting === before) continue;
    expect(client.unread).toBe(0);
    await wire.ask(get("/open-gate?expect"));
    expect((await client.answer()).status).toBe(100);
    expect((await client.ask("body")).body.toString()).toBe("4");
  });

  async function notes(): Promise<Record<string, number>> {
    return JSON.parse((await wire.ask(get("/notes"))).body.toString()) as Record<string, number>;
  }

  lazily.each(["/unread", "/unread-later", "/refuse"])(
    "100 Continue never comes when the app doesn't read, and the connection ends: %s",
    async (path) => {
      using client = await wire.connect();
      const answer = await client.ask(expecting(path, 4));
      expect(answer.status).toBe(path === "/refuse" ? 413 : 200);
      expect(field(answer, "connection")).toBe("close");
      expect(await client.ended()).toBe("fin");
    },
  );

  lazily("100 Continue is left out when the body is there already", async () => {
    using client = await wire.connect();
    const answer = await client.ask(`${expecting("/text", 4)}body`);
    expect([answer.status, answer.body.toString()]).toEqual([200, "body"]);
    expect((await client.ask(get("/"))).status).toBe(200);
  });

  lazily("100 Continue isn't sent for a request without a body, nor to HTTP/1.0", async () => {
    using client = await wire.connect();
    expect((await client.ask(get("/", wanted))).status).toBe(200);
    const old = expecting("/text", 4).replace("HTTP/1.1", "HTTP/1.0");
    client.send(old);
    await wire.ask(get("/"));
    const answer = await client.ask("body");
    expect([answer.status, answer.body.toString()]).toEqual([200, "body"]);
  });

  // Bun.serve ignores what it doesn't know.
  lazily.each(["Expect: x", "Expect:", "Expect: 100-continue, x"])(
    "another expectation is 417: %s",
    async (line) => {
      const mark = wire.server.log.length;
      using client = await wire.connect();
      const answer = await client.ask(get("/", line));
      expect([answer.status, field(answer, "connection")]).toEqual([417, "close"]);
      expect(await client.ended()).toBe("fin");
      await wire.server.logged(/\[WARNING\] Invalid request from ip=127.0.0.1: Unable to/, mark);
    },
  );
});
