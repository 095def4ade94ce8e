import { describe, expect, test } from "bun:test";
import { field } from "../support/raw-client.ts";
import {
  chunked,
  columns,
  get,
  get10,
  head,
  post,
  requestText,
  rowsFor,
  testUnless,
  useWire,
  type WireRow,
} from "../support/wire.ts";

interface PersistenceRow extends WireRow {
  readonly request: string;
  readonly kept: boolean;
  /** The answer's Connection field. */
  readonly says: string | null;
}

const persistence: readonly PersistenceRow[] = [
  { claim: "1.1 stays", request: get("/"), kept: true, says: null },
  {
    claim: "1.1 with keep-alive stays",
    request: get("/", "Connection: keep-alive"),
    kept: true,
    says: null,
  },
  {
    claim: "1.1 with close goes",
    request: get("/", "Connection: close"),
    kept: false,
    says: "close",
  },
  {
    claim: "close counts in any case, in a list",
    request: get("/", "Connection: x, CLOSE"),
    kept: false,
    says: "close",
  },
  {
    claim: "close counts in the second of two fields",
    request: get("/", "Connection: keep-alive", "Connection: close"),
    kept: false,
    says: "close",
  },
  { claim: "1.0 goes", request: get10("/"), kept: false, says: "close" },
  {
    claim: "1.0 with keep-alive stays, and is told",
    request: get10("/", "Connection: keep-alive"),
    kept: true,
    says: "keep-alive",
    notServe: "Bun.serve closes after HTTP/1.0",
  },
  {
    claim: "1.0 with keep-alive and close goes",
    request: get10("/", "Connection: keep-alive, close"),
    kept: false,
    says: "close",
  },
  { claim: "HEAD stays", request: head("/"), kept: true, says: null },
  { claim: "POST stays", request: post("/text", "abc"), kept: true, says: null },
  {
    claim: "CONNECT goes, as proxies make a tunnel of it",
    request: requestText("CONNECT", "a:80"),
    kept: false,
    says: "close",
  },
  { claim: "404 stays", request: get("/nowhere"), kept: true, says: null },
];

const count = 1000;

function numbered(path: string, total: number): string {
  let text = "";
  for (let number = 0; number < total; number++) text += get(`${path}?${number}`);
  return text;
}

describe.each(columns)("-k %s over %s: a connection", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "requests.ts" });

  test.each(rowsFor(kind, persistence))("persists: %s", async (_claim, row) => {
    using client = await wire.connect();
    const answer = await client.ask(row.request, row.request.slice(0, row.request.indexOf(" ")));
    if (kind === "async") expect(field(answer, "connection")).toBe(row.says);
    if (row.kept) expect((await client.ask(get("/"))).body.toString()).toBe("hello");
    else expect(await client.ended()).toBe("fin");
    expect(client.unread).toBe(0);
  });

  test("serves many requests one after another", async () => {
    using client = await wire.connect();
    for (let number = 0; number < 200; number++) {
      const answer = await client.ask(get(`/number?${number}`));
      expect(answer.body.toString()).toBe(`?${number}`);
    }
  });

  test("answers 1,000 pipelined requests of one segment in order", async () => {
    using client = await wire.connect();
    client.send(numbered("/number", count));
    for (let number = 0; number < count; number++) {
      expect((await client.answer()).body.toString()).toBe(`?${number}`);
    }
  });

  // Bun.serve closes the connection of a client that pipelines behind an answer that takes time.
  const pipelines = testUnless(kind === "serve");

  pipelines("answers pipelined requests of an async app in order, one at a time", async () => {
    using client = await wire.connect();
    let text = "";
    const bodies: string[] = [];
    for (let number = 0; number < count; number++) {
      // The later ones would be done first.
      const turns = number % 10 === 0 ? 5 : 10 - (number % 10);
      const query = `?turns=${turns}&n=${number}`;
      text += get(`/delayed${query}`);
      bodies.push(query);
    }
    client.send(text);
    for (const body of bodies) expect((await client.answer()).body.toString()).toBe(body);
  });

  pipelines(
    "answers pipelined requests with bodies, errors, streams and HEAD in order",
    async () => {
      using client = await wire.connect();
      const round: [request: string, status: number, body: string][] = [
        [post("/text", "first"), 200, "first"],
        [get("/nowhere"), 404, "no such row"],
        [
          requestText("POST", "/echo", ["Transfer-Encoding: chunked"]) + chunked("a", "bc"),
          200,
          "abc",
        ],
        [head("/"), 200, ""],
        [post("/unread", "x".repeat(100)), 200, "unread"],
        [get("/delayed?turns=3"), 200, "?turns=3"],
        [post("/json", "{}"), 200, "{}"],
        [post("/first-chunk", "abc"), 200, "first true"],
      ];
      const rounds = Array.from({ length: 20 }, () => round).flat();
      client.send(rounds.map(([request]) => request).join(""));
      for (const [request, status, body] of rounds) {
        const answer = await client.answer(request.slice(0, request.indexOf(" ")));
        expect([request.split("\r\n")[0], answer.status, answer.body.toString()]).toEqual([
          request.split("\r\n")[0],
          status,
          body,
        ]);
      }
    },
  );

  test("ends behind the request that says close, whatever was pipelined behind it", async () => {
    using client = await wire.connect();
    client.send(get("/number?1") + get("/number?2", "Connection: close") + get("/number?3"));
    expect((await client.answer()).body.toString()).toBe("?1");
    expect((await client.answer()).body.toString()).toBe("?2");
    await client.ended();
    expect(client.unread).toBe(0);
  });

  // Bun.serve aborts requests under way when the client has sent FIN.
  const halfCloses = testUnless(kind === "serve");

  halfCloses("that the client has closed half-way still gets its answers", async () => {
    using client = await wire.connect();
    client.send(numbered("/number", 50) + get("/delayed?turns=5") + get("/number?last"));
    client.halfClose();
    for (let number = 0; number < 50; number++) {
      expect((await client.answer()).body.toString()).toBe(`?${number}`);
    }
    expect((await client.answer()).body.toString()).toBe("?turns=5");
    expect((await client.answer()).body.toString()).toBe("?last");
    expect(await client.ended()).toBe("fin");
  });

  test("that the client closes half-way in a head, or idle, is closed", async () => {
    for (const text of ["", "GET / HT", get("/").slice(0, -2), `${get("/")}GET /`]) {
      using client = await wire.connect();
      client.send(text);
      if (text.includes("GET /\r") || text.startsWith(get("/"))) await client.answer();
      client.halfClose();
      expect(await client.ended()).toBe("fin");
      expect(client.unread).toBe(0);
    }
  });

  halfCloses(
    "that the client closes half-way in a body gets no answer, and no log line",
    async () => {
      const mark = wire.server.log.length;
      const parts = [
        post("/text", "abc").slice(0, -1),
        post("/read-later", "abc").slice(0, -1),
        `${requestText("POST", "/text", ["Transfer-Encoding: chunked"])}5\r\nabc`,
      ];
      for (const part of parts) {
        using client = await wire.connect();
        client.send(part);
        client.halfClose();
        expect(await client.ended()).toBe("fin");
        expect(client.unread).toBe(0);
      }
      expect(wire.server.log.slice(mark)).toBe("");
    },
  );

  test("takes a request cut at every byte", async () => {
    using client = await wire.connect();
    const body = chunked("some ", "text");
    const request = requestText("POST", "/text", ["Transfer-Encoding: chunked", "X-A: b"]) + body;
    for (let cut = 1; cut < request.length; cut++) {
      await client.sendPieces([request.slice(0, cut), request.slice(cut)]);
      const answer = await client.answer();
      expect([cut, answer.status, answer.body.toString()]).toEqual([cut, 200, "some text"]);
    }
  });

  test("takes two requests cut at every byte", async () => {
    using client = await wire.connect();
    const two = post("/text", "first") + get("/number?second");
    for (let cut = 1; cut < two.length; cut++) {
      await client.sendPieces([two.slice(0, cut), two.slice(cut)]);
      expect((await client.answer()).body.toString()).toBe("first");
      expect((await client.answer()).body.toString()).toBe("?second");
    }
  });

  test("takes requests byte by byte", async () => {
    using client = await wire.connect();
    await client.sendPieces(get("/number?1") + post("/text", "abc") + get("/number?2"));
    for (const body of ["?1", "abc", "?2"]) {
      expect((await client.answer()).body.toString()).toBe(body);
    }
  });

  testUnless(kind === "serve")("takes one empty line before a request", async () => {
    using client = await wire.connect();
    expect((await client.ask(`\r\n${get("/number?1")}`)).body.toString()).toBe("?1");
    expect((await client.ask(`\r\n${get("/number?2")}`)).body.toString()).toBe("?2");
  });
});
