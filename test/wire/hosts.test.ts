/** What Host and the target make of a request's url: an app is asked with one that it can parse, or not at all. */
import { describe, expect, test } from "bun:test";
import { kinds, useWire } from "../support/wire.ts";

interface Row {
  readonly claim: string;
  readonly head: string;
  /** What the app sees, PORT stands for the server's; null where it isn't asked. */
  readonly url: string | null;
}

const own = "http://127.0.0.1:PORT/inspect?q";

function host(claim: string, value: string, url: string | null): Row {
  return { claim, head: `GET /inspect?q HTTP/1.1\r\nHost: ${value}\r\n\r\n`, url };
}

const rows: readonly Row[] = [
  host("a name", "a", "http://a/inspect?q"),
  host("an IPv6 address", "[::1]:1", "http://[::1]:1/inspect?q"),
  host("an empty port", "a:", "http://a/inspect?q"),
  host("a name that URL knows from IDNA", "xn--fsq.example", "http://xn--fsq.example/inspect?q"),
  host("none in its line", "", own),
  host("nothing but spaces", "  ", own),
  { claim: "no line, on 1.0", head: "GET /inspect?q HTTP/1.0\r\n\r\n", url: own },
  {
    claim: "no line, on 1.0, a path to resolve",
    head: "GET /x/../inspect?q HTTP/1.0\r\n\r\n",
    url: own,
  },
  host("an address of five numbers", "1.2.3.4.5", own),
  host("an address out of range", "999.1.1.1", own),
  host("no Punycode", "xn--", own),
  host("no Punycode before a port", "a.xn--0.b:80", own),
  host("an encoded byte that no name has", "a%00b", own),
  ...[
    "a b",
    "a\tb",
    "a/b",
    "a?b",
    "a#b",
    "a\\b",
    "a<b",
    "a^b",
    "a|b",
    "u@a",
    "a:x",
    "a:99999",
    ":80",
    "[::1",
    "[::g]",
    "%zz",
    "a\u0080",
  ].map((value) => host(JSON.stringify(value), value, null)),
  {
    claim: "a bad one, on 1.0",
    head: "GET /inspect?q HTTP/1.0\r\nHost: a b\r\n\r\n",
    url: null,
  },
  {
    claim: "a bad one of a POST",
    head: "POST /inspect HTTP/1.1\r\nHost: a b\r\nContent-Length: 1\r\n\r\nx",
    url: null,
  },
];

const connects: readonly Row[] = [
  { claim: "CONNECT", head: "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", url: "http://a:1/" },
  ...["a", "u@a:1", "a:99999", "*", "http:"].map((target) => ({
    claim: `CONNECT ${target}`,
    head: `CONNECT ${target} HTTP/1.1\r\nHost: a:1\r\n\r\n`,
    url: null,
  })),
];

const tells = `export default (request) => Response.json({ url: request.url, copied: new Request(request).url });`;

describe.each(kinds)("-k %s: an app is asked", (kind) => {
  const args = ["--access-logfile", "-"];
  const wire = useWire({ kind, app: "requests.ts", files: { "app.ts": tells }, args });

  test.each([...rows, ...connects].map((row) => [row.claim, row] as const))(
    "%s",
    async (_claim, { head, url }) => {
      const mark = wire.server.log.length;
      const answer = await wire.ask(head);
      if (url === null) {
        expect(answer.status).toBe(400);
        expect(answer.fields).toContainEqual(["Connection", "close"]);
        await wire.server.logged(/ \[WARNING\] Invalid request from ip=127\.0\.0\.1: /, mark);
        await wire.server.logged(/" 400 \d+ /, mark);
      } else {
        const expected = url.replace("PORT", String(wire.server.port));
        expect(JSON.parse(answer.body.toString())).toEqual({ url: expected, copied: expected });
      }
      expect(wire.server.log.slice(mark)).not.toContain("Error handling request");
    },
  );
});

describe.each(kinds)("-k %s: a node listener is asked", (kind) => {
  const listener = `export default (req, res) => res.end(req.url);`;
  const wire = useWire({ kind, app: "requests.ts", files: { "app.ts": listener } });

  test.each(rows.map((row) => [row.claim, row] as const))("%s", async (_claim, { head, url }) => {
    const mark = wire.server.log.length;
    const { status, body } = await wire.ask(head);
    expect(status).toBe(url === null ? 400 : 200);
    if (url !== null) expect(body.toString()).toMatch(/\/inspect\?q$/);
    expect(wire.server.log.slice(mark)).not.toContain("Error handling request");
  });
});
