/** server.earlyHints(): what of it comes to the client, and when (RFC 8297). */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn } from "../support/server.ts";
import { get, get10, head, post, requestText, transports, useWire } from "../support/wire.ts";

const hints = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";

describe.each(transports)("-k async over %s: server.earlyHints()", (transport) => {
  const wire = useWire({ kind: "async", transport, app: "early-hints.ts" });

  /** All bytes that come for a request which asks for the end of the connection, without Server and Date. */
  async function bytesOf(request: string): Promise<string> {
    using client = await wire.connect();
    client.send(request);
    await client.ended();
    const text = await client.peek(client.unread);
    return text.replaceAll(/(?:Server|Date): .*\r\n/g, "");
  }

  const close = "Connection: close";
  const ok = (length: number) =>
    `HTTP/1.1 200 OK\r\n${close}\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: ${length}\r\n\r\n`;
  const interim = (lines: string) => `HTTP/1.1 103 Early Hints\r\n${lines}\r\n`;
  const second = interim("x-second: 2\r\n");
  const fields = (name: string) => get(`/fields?${encodeURIComponent(name)}`, close);

  const sent: [claim: string, request: string, bytes: string][] = [
    ["before the answer", get("/once", close), `${hints}${ok(4)}true`],
    ["several times", get("/twice", close), `${hints}${second}${ok(9)}true true`],
    ["to HEAD", head("/once", close), `${hints}${ok(4)}`],
    ["to POST", post("/once", "body", close), `${hints}${ok(4)}true`],
    ["not to HTTP/1.0", get10("/once"), `${ok(5)}false`],
    [
      "behind earlier answers, pipelined",
      get("/of-another") + get("/once", close),
      `${ok(5).replace(`${close}\r\n`, "")}false${hints}${ok(4)}true`,
    ],
    [
      "for each request of a pipeline",
      get("/once") + get("/once", close),
      `${hints}${ok(4).replace(`${close}\r\n`, "")}true${hints}${ok(4)}true`,
    ],
    ["without fields", fields("none"), `${interim("")}${ok(4)}true`],
    [
      "with pairs",
      fields("pairs"),
      `${interim("link: </a>, </b>\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n")}${ok(4)}true`,
    ],
    ["with Headers", fields("headers"), `${hints}${ok(4)}true`],
    ["with a value of Latin-1", fields("latin1"), `${interim("x-name: caf\xe9\r\n")}${ok(4)}true`],
    ["without fields that frame or connect", fields("of the connection"), `${hints}${ok(4)}true`],
    ["not for a request that nobody has sent", get("/of-another", close), `${ok(5)}false`],
    ["not for a copy of the request", get("/of-a-copy", close), `${ok(5)}false`],
    [
      "to a client that has sent all of a body",
      post("/then-read", "body", close),
      `${hints}${ok(9)}true body`,
    ],
  ];

  test.each(sent)("comes %s", async (_claim, request, bytes) => {
    expect(await bytesOf(request)).toBe(bytes);
  });

  const names = [
    "a name with a blank",
    "a name with a colon",
    "an empty name",
    "a name with a line end",
    "a value with a line end",
    "a value with a line feed",
    "a value with NUL",
    "a value above Latin-1",
  ];

  test.each(names)("throws a TypeError, and sends nothing, for %s", async (name) => {
    for (const request of [fields(name), get10(`/fields?${encodeURIComponent(name)}`)]) {
      const bytes = await bytesOf(request);
      expect(bytes).toStartWith("HTTP/1.1 200 OK\r\n");
      expect(bytes).toContain("\r\n\r\nTypeError: ");
    }
  });

  test("comes before a 500, if the app throws behind it", async () => {
    using client = await wire.connect();
    expect((await client.ask(get("/throw"))).status).toBe(103);
    expect((await client.answer()).status).toBe(500);
  });

  test("comes at once, while the app doesn't let go of the event loop", async () => {
    using client = await wire.connect();
    client.send(get("/busy"));
    await client.seen(hints);
    writeFileSync(join(wire.server.folder, "go"), "");
    expect((await client.answer()).status).toBe(103);
    expect((await client.answer()).body.toString()).toBe("went");
  });

  test("is false when the answer has begun", async () => {
    using client = await wire.connect();
    expect((await client.ask(get("/stream"))).body.toString()).toBe("false false ");
  });

  test("is false when the answer is out", async () => {
    using client = await wire.connect();
    expect((await client.ask(get("/keep"))).status).toBe(200);
    expect((await client.ask(get("/of-an-old-one"))).body.toString()).toBe("false");
  });

  const expecting = (path: string) =>
    requestText("POST", path, ["Content-Length: 4", "Expect: 100-continue"]);

  test.each([
    ["/then-read", [103, 100]],
    ["/read-then", [100, 103]],
  ])("and 100 Continue come in the order of what the app does: %s", async (path, statuses) => {
    using client = await wire.connect();
    client.send(expecting(path));
    for (const status of statuses) {
      expect((await client.answer()).status).toBe(status);
      if (status === 100) client.send("body");
    }
    const answer = await client.answer();
    expect([answer.status, answer.body.toString()]).toEqual([200, "true body"]);
  });

  test("leaves the access log alone", async () => {
    const files = {
      "app.ts": readFileSync(join(import.meta.dir, "../fixtures/wire/early-hints.ts"), "utf8"),
    };
    await using server = await gunicorn({
      app: "app",
      files,
      args: ["--access-logfile", "-", "--access-logformat", "%(m)s %(s)s %(B)s"],
    });
    using client = await RawClient.connect(server);
    expect((await client.ask(get("/once"))).status).toBe(103);
    expect((await client.answer()).status).toBe(200);
    await server.logged(/^GET 200 4$/m);
  });
});

test("-k sync: server.earlyHints() comes before the answer", async () => {
  const files = {
    "app.ts": readFileSync(join(import.meta.dir, "../fixtures/wire/early-hints.ts"), "utf8"),
  };
  await using server = await gunicorn({ app: "app", files, args: ["-k", "sync"] });
  using client = await RawClient.connect(server);
  expect((await client.ask(get("/once"))).head).toBe(hints.trimEnd());
  expect((await client.answer()).body.toString()).toBe("true");
});

describe("-k serve: server.earlyHints()", () => {
  const wire = useWire({ kind: "serve", app: "early-hints.ts" });

  test("throws, and says what to use", async () => {
    const mark = wire.server.log.length;
    expect((await wire.ask(get("/once"))).status).toBe(500);
    await wire.server.logged(
      /server\.earlyHints\(\) is not supported: Bun\.serve can't send it, use --worker-class async/,
      mark,
    );
  });
});
