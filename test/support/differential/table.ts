/**
 * Where the other servers make something else of a valid request than ours does, and why. docs/http.md holds the same sentences.
 * A row that explains nothing any more fails the test, as does a difference without a row.
 */
export type Peer = "Bun.serve" | "node:http on Bun" | "node:http on Node";

export interface Difference {
  readonly peers: readonly Peer[];
  /** The requests concerned. */
  readonly request: RegExp;
  /** A status, "closes", "is silent", or what the app was told otherwise: "url", "host", "headers", "body". */
  readonly saying: readonly string[];
  readonly reason: string;
}

const node: readonly Peer[] = ["node:http on Bun", "node:http on Node"];
const onBun: readonly Peer[] = ["Bun.serve", "node:http on Bun"];
const all: readonly Peer[] = ["Bun.serve", ...node];

export const table: readonly Difference[] = [
  {
    peers: all,
    request: /^(?!(CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) )\S+ \S+ HTTP\/1\.1\r\n/,
    saying: ["400", "closes"],
    reason:
      "They know a list of methods and refuse others; here any token is a method (RFC 9110 §9.1), and the app judges.",
  },
  {
    peers: ["Bun.serve"],
    request: /^\S+ \S+ HTTP\/1\.[2-9]\r\n/,
    saying: ["505"],
    reason: "It refuses HTTP/1.2 to 1.9 with 505; RFC 9110 §2.5 has them processed as 1.1.",
  },
  {
    peers: node,
    request: /^\S+ \S+ HTTP\/1\.[2-9]\r\n/,
    saying: ["400"],
    reason: "They refuse HTTP/1.2 to 1.9 with 400; RFC 9110 §2.5 has them processed as 1.1.",
  },
  {
    peers: ["Bun.serve"],
    request: /^\r\n/,
    saying: ["400"],
    reason:
      "It refuses an empty line before the request, which RFC 9112 §2.2 asks a server to ignore.",
  },
  {
    peers: all,
    request: /^\S+ (?!https?:)[a-z][a-z0-9+.-]*:\/\//i,
    saying: ["400"],
    reason:
      "They refuse a target with another scheme than http and https; here it is accepted, as in Gunicorn.",
  },
  {
    peers: ["Bun.serve"],
    request: /^\S+ https?:\/\//i,
    saying: ["host"],
    reason:
      "It makes the url of Host even when the target names an authority, which RFC 9112 §3.2.2 has replace Host.",
  },
  {
    peers: ["Bun.serve"],
    request: /^(?:\r\n)?(?!(?:.+\r\n)*Host:[ \t]*[^ \t\r\n])/i,
    saying: ["host"],
    reason:
      "Without a Host, or with an empty one, its url is a bare path; here the authority is the server's own (RFC 9112 §3.3).",
  },
  {
    peers: onBun,
    request: /^OPTIONS \* /,
    saying: ["400"],
    reason: "They refuse `OPTIONS *`, which RFC 9112 §3.2.4 defines.",
  },
  {
    peers: ["node:http on Node"],
    request: /^OPTIONS \* /,
    saying: ["url"],
    reason:
      "It gives the app the asterisk; a url has no place for one, so here the path is empty (RFC 9112 §3.3).",
  },
  {
    peers: ["Bun.serve"],
    request: /^CONNECT /,
    saying: ["host, url"],
    reason:
      "Its url for CONNECT is the bare target, read as another scheme or as a path; here it is the authority's (RFC 9112 §3.3).",
  },
  {
    peers: node,
    request: /^CONNECT /,
    saying: ["closes"],
    reason:
      "CONNECT has an event of its own there; they close the connection when nobody listens to it.",
  },
  {
    peers: all,
    request: /\r\n[^:\r\n]*_[^:\r\n]*:/,
    saying: ["headers"],
    reason: "They pass on names with an underscore, which the default of `header_map` drops here.",
  },
  {
    peers: node,
    request: /^GET /,
    saying: ["body"],
    reason:
      "They give the app the body of a GET; a fetch Request can't have one, so here it is read and dropped.",
  },
  {
    peers: onBun,
    request: /\r\nContent-Length: 0{9}/i,
    saying: ["400"],
    reason:
      "They refuse a Content-Length of more digits than they count; RFC 9110 §8.6 sets no bound, and zeros add nothing.",
  },
  {
    peers: onBun,
    request: /\r\n[0-9a-f]+(?:[ \t]+;|;.*")/i,
    saying: ["400"],
    reason:
      "They refuse blanks and quoted strings in chunk extensions; RFC 9112 §7.1.1 allows both.",
  },
  {
    peers: ["node:http on Node"],
    request: /\r\n[0-9a-f]+(?:[ \t]+;|;\r)/i,
    saying: ["400"],
    reason:
      "It refuses blanks in chunk extensions, which RFC 9112 §7.1.1 allows, and empty ones; here all are ignored.",
  },
  {
    peers: ["node:http on Node"],
    request: /\r\nTransfer-Encoding:[ \t]*chunked[ \t]+\r/i,
    saying: ["400"],
    reason: "It refuses blanks behind `chunked`; they aren't part of the value (RFC 9110 §5.5).",
  },
];
