/** Differences in status line and fields, the particular ones first. */
import { asGet, type Difference, gets, kept, page, pageHead } from "./case.ts";

const own = (rows: readonly string[], reason: string) => ({ rows, ours: { reason } });
const without = (name: string, rows: readonly string[]) => ({ rows, ours: { [name]: null } });

export const headDifferences: readonly Difference[] = [
  {
    reason:
      "A statusText of the app's own is sent, as in Gunicorn; Bun.serve knows its own phrases only.",
    cases: [
      own(["a statusText of the app's own"], "Fine"),
      own(
        ["a statusText for a status that nobody registered", "a Response made of another's body"],
        "Own",
      ),
    ],
  },
  {
    reason:
      "A status that nobody registered has an empty phrase (RFC 9112 §4), and 413 and 422 have those of RFC 9110 §15.5.14 and §15.5.21; Bun.serve says `HM`, `Payload Too Large` and `Unprocessable Entity`.",
    cases: [
      own(["status 299", "status 599"], ""),
      own(["status 413"], "Content Too Large"),
      own(["status 422", "Response.json() with a status as its init"], "Unprocessable Content"),
    ],
  },
  {
    reason:
      "Fields about the connection are the server's (RFC 9110 §7.6.1, RFC 9112 §6.1): of an app's only `Connection: close` is heard, and Keep-Alive, Proxy-Authenticate, TE, Transfer-Encoding and Upgrade aren't passed on, nor is Trailer but for the chunked answers of node listeners, who can send trailers.",
    cases: [
      {
        rows: ["Connection: Close in a list", "Connection: close and keep-alive"],
        ours: { connection: "close" },
      },
      without("connection", ["Connection: keep-alive", "Connection: upgrade"]),
      without("upgrade", ["Connection: upgrade", "Upgrade"]),
      without("keep-alive", ["Keep-Alive"]),
      without("trailer", ["Trailer"]),
      without("te", ["TE"]),
      without("proxy-authenticate", ["Proxy-Authenticate"]),
      {
        rows: ["Transfer-Encoding without a body"],
        requests: ["HEAD"],
        ours: { "content-length": "0", "transfer-encoding": null },
      },
    ],
  },
  {
    reason:
      "A Response without a body that is returned again keeps its fields; Bun.serve sends them once.",
    cases: [
      {
        rows: ["the same empty Response each time"],
        requests: ["HEAD", "GET 1.0", "GET 1.0 keep-alive"],
        ours: { "x-shared": "yes" },
      },
    ],
  },
  {
    reason:
      "The type of a Blob is sent as it is, without a `charset` that Bun.serve adds to some; a Blob or File without a type is `application/octet-stream`, where Bun.serve remembers what was made of text.",
    cases: [
      { rows: ["a Blob with a type in upper case"], ours: { "content-type": "text/html" } },
      {
        rows: ["a Blob of text", "a File"],
        requests: gets,
        ours: { "content-type": "application/octet-stream" },
      },
    ],
  },
  {
    reason:
      "Text whose Response an app has asked for its `body` is still text; Bun.serve sends `application/octet-stream`.",
    cases: [
      {
        rows: ["a Response whose body was looked at"],
        requests: gets,
        ours: { "content-type": "text/plain;charset=utf-8" },
      },
    ],
  },
  {
    reason:
      "An empty Content-Type of the app's is sent alone; Bun.serve adds a second one (RFC 9110 §5.3).",
    cases: [{ rows: ["Content-Type that is empty"], requests: gets, ours: { "content-type": "" } }],
  },
  {
    reason: "The page of a 500 is Gunicorn's; Bun.serve says `Something went wrong!`.",
    cases: [
      { requests: gets, theirs: { status: "500", body: "Something went wrong!" }, ours: page },
      { requests: ["HEAD"], theirs: { status: "500", "content-length": "21" }, ours: pageHead },
    ],
  },
  {
    reason:
      "HEAD has the Date and the Content-Type of GET (RFC 9110 §9.3.2); Bun.serve leaves both out.",
    cases: [
      { requests: ["HEAD"], theirs: { date: null }, ours: { date: "now" } },
      {
        requests: ["HEAD"],
        theirs: { "content-type": null, "transfer-encoding": null },
        ours: { "content-type": asGet },
      },
    ],
  },
  {
    reason:
      "Every answer names the server, unless the app does (RFC 9110 §10.2.4), as in Gunicorn; Bun.serve has no Server.",
    cases: [{ theirs: { answer: null, server: null }, ours: { server: "gunicorn-ts" } }],
  },
  {
    reason:
      "A client of HTTP/1.0 that asks for `keep-alive` gets it when the body has a length (RFC 9112 §9.3), and each is told what becomes of the connection; Bun.serve closes without a word.",
    cases: [
      { requests: ["GET 1.0"], theirs: { connection: null }, ours: { connection: "close" } },
      {
        requests: kept,
        theirs: { connection: null, framing: "close" },
        ours: { connection: "close" },
      },
      ...["length", "none"].map((framing) => ({
        requests: kept,
        theirs: { connection: null, framing },
        ours: { connection: "keep-alive", next: "answered" },
      })),
    ],
  },
];
