/** Responses that were somebody else's before: shared, cloned, read, fetched. */
import type { SuiteRow } from "./rows.ts";
import { encoder, ready, slow } from "./streams.ts";

/** As middleware does it that changes a field. */
const passedOn = (other: Response) => new Response(other.body, other);

class Page extends Response {
  readonly title = "a page";
}

const shared = new Response("shared");
const lender = new Response("lent");
const toBeCloned = new Response("shared and cloned");
const sharedEmpty = new Response(null, { headers: { "x-shared": "yes" } });
const sharedJson = Response.json({ shared: true });
const sharedStream = new Response(ready(encoder.encode("shared")));

/** Reads the first chunk, and lets go of the rest. */
async function readPartly(response: Response): Promise<void> {
  const reader = response.body!.getReader();
  await reader.read();
  reader.releaseLock();
}

const fromUpstream = "X-Upstream: yes\r\nContent-Type: text/x-upstream\r\n";
const zipped = Buffer.from(Bun.gzipSync(Buffer.from("from upstream"))).toString("latin1");

/** What another server says, to the byte. */
const upstreamSays: Readonly<Record<string, string>> = {
  "/": `HTTP/1.1 200 OK\r\n${fromUpstream}Content-Length: 13\r\n\r\nfrom upstream`,
  "/404": `HTTP/1.1 404 Not Found\r\n${fromUpstream}Content-Length: 7\r\n\r\nnothing`,
  "/chunked": `HTTP/1.1 200 OK\r\n${fromUpstream}Transfer-Encoding: chunked\r\n\r\n5\r\nfrom \r\n8\r\nupstream\r\n0\r\n\r\n`,
  "/gzip": `HTTP/1.1 200 OK\r\n${fromUpstream}Content-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n${zipped}`,
  "/gzip-head": `HTTP/1.1 200 OK\r\n${fromUpstream}Content-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n`,
  "/head": `HTTP/1.1 200 OK\r\n${fromUpstream}Content-Length: 13\r\n\r\n`,
};

let upstream: Bun.TCPSocketListener | null = null;
const sendRest = new Map<string, () => void>();
let asked = 0;

/**
 * Asks another server, as a proxy would. The last byte of its answer comes when the row has returned: whether a body has arrived
 * by then must not depend on the machine.
 */
async function askUpstream(
  path: string,
  method = "GET",
  init: BunFetchRequestInit = {},
): Promise<Response> {
  upstream ??= Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, request) {
        const target = request.toString().split(" ")[1] ?? "";
        const said = upstreamSays[target.split("?")[0] ?? ""] ?? "";
        const held = said.endsWith("\r\n\r\n") && !said.includes("chunked") ? 0 : 1;
        socket.write(Buffer.from(said.slice(0, said.length - held), "latin1"));
        sendRest.set(target, () =>
          socket.write(Buffer.from(said.slice(said.length - held), "latin1")),
        );
      },
    },
  });
  const target = `${path}?${asked++}`;
  const url = `http://127.0.0.1:${upstream.port}${target}`;
  // Not on the connection of an answer that was only half read.
  const answer = await fetch(url, { method, keepalive: false, ...init });
  setImmediate(() => sendRest.get(target)?.());
  return answer;
}

export const secondHand: readonly SuiteRow[] = [
  ["the same Response each time", () => shared],
  ["the same empty Response each time", () => sharedEmpty],
  ["the same Response.json() each time", () => sharedJson],
  ["the same stream each time", () => sharedStream],
  ["a clone of the same Response each time", () => toBeCloned.clone()],
  ["a clone", () => new Response("cloned", { status: 201, headers: { "x-own": "1" } }).clone()],
  [
    "a cloned Response",
    () => {
      const response = new Response("original");
      response.clone();
      return response;
    },
  ],
  [
    "a clone whose original was read",
    async () => {
      const response = new Response("cloned");
      const copy = response.clone();
      await response.text();
      return copy;
    },
  ],
  ["a clone of bytes", () => new Response(Uint8Array.of(1, 2, 3)).clone()],
  ["a clone of Response.json()", () => Response.json({ a: 1 }).clone()],
  ["a clone of a file", () => new Response(Bun.file("small.txt")).clone()],
  ["a clone of a stream", () => new Response(slow("one", "two")).clone()],
  [
    "a clone of a stream that was partly read",
    async () => {
      const response = new Response(slow("one", "two"));
      await readPartly(response);
      return response.clone();
    },
  ],
  [
    "a stream that was partly read",
    async () => {
      const response = new Response(slow("one", "two"));
      await readPartly(response);
      return response;
    },
  ],
  [
    "a Response made of another's body",
    () => {
      const other = new Response("other", {
        status: 201,
        statusText: "Own",
        headers: { "x-own": "1" },
      });
      return new Response(other.body, other);
    },
  ],
  [
    "a Response made of a file's body",
    () => {
      const other = new Response(Bun.file("small.txt"));
      return new Response(other.body, other);
    },
  ],
  [
    "a Response made of another's stream",
    () => {
      const other = new Response(slow("one", "two"), { headers: { "x-own": "1" } });
      return new Response(other.body, other);
    },
  ],
  [
    "a Response made of a URLSearchParams' body",
    () => passedOn(new Response(new URLSearchParams({ a: "1" }))),
  ],
  ["a Response made of a JSON body", () => passedOn(Response.json({ a: 1 }, { status: 201 }))],
  ["a Response made of the body of bytes", () => passedOn(new Response(Uint8Array.of(1, 2, 3)))],
  [
    "a Response made of a Blob's body",
    () => passedOn(new Response(new Blob(["blob"], { type: "text/x-blob" }))),
  ],
  [
    "a Response made of the body of a Blob of 300 KiB",
    () => passedOn(new Response(new Blob([new Uint8Array(300 * 1024).fill(8)]))),
  ],
  [
    "a Response made of the body of a file of 200,000 bytes",
    () => passedOn(new Response(Bun.file("large.bin"))),
  ],
  [
    "a Response made of the body of a slice of a file",
    () => passedOn(new Response(Bun.file("small.txt").slice(2, 7))),
  ],
  [
    "a Response made of a missing file's body",
    () => passedOn(new Response(Bun.file("missing.txt"))),
  ],
  ["a Response made of an empty body", () => passedOn(new Response(null, { status: 201 }))],
  [
    "a Response made of the body of one that was made so",
    () => passedOn(passedOn(new Response("other", { headers: { "x-own": "1" } }))),
  ],
  [
    "a Response made of another's body, with fields of its own",
    () => {
      const other = new Response("other", { headers: { "x-own": "1" } });
      const headers = new Headers(other.headers);
      headers.set("x-more", "2");
      return new Response(other.body, { status: other.status, headers });
    },
  ],
  [
    "a Response made of another's body, and given more fields",
    () => {
      const response = passedOn(new Response("other", { headers: { "x-own": "1" } }));
      response.headers.set("x-more", "2");
      return response;
    },
  ],
  [
    "a Response made of half of another's body, which is tee()d",
    () => {
      const other = new Response("other");
      return new Response(other.body!.tee()[0], other);
    },
  ],
  [
    "a Response made of another's body, which is piped",
    () => {
      const other = new Response("other");
      return new Response(other.body!.pipeThrough(new TransformStream()), other);
    },
  ],
  ["a clone of a Response made of another's body", () => passedOn(new Response("other")).clone()],
  [
    "a cloned Response made of another's body",
    () => {
      const response = passedOn(new Response("other"));
      response.clone();
      return response;
    },
  ],
  [
    "a Response made of the body of one that was cloned",
    () => {
      const other = new Response("other");
      other.clone();
      return passedOn(other);
    },
  ],
  [
    "a Response made of another's body, which is read then",
    async () => {
      const other = new Response("other");
      const response = passedOn(other);
      await other.body!.getReader().read();
      return response;
    },
  ],
  [
    "a Response whose body was read through another",
    async () => {
      const other = new Response("other");
      await passedOn(other).text();
      return other;
    },
  ],
  ["a Response made of the same body each time", () => new Response(lender.body, lender)],
  [
    "a Response whose body was looked at",
    () => {
      const response = new Response("looked at");
      void response.body;
      return response;
    },
  ],
  [
    "a Response that was read",
    async () => {
      const response = new Response("read");
      await response.text();
      return response;
    },
  ],
  [
    "a stream that was read",
    async () => {
      const response = new Response(slow("read"));
      await response.text();
      return response;
    },
  ],
  [
    "a Response whose body is locked",
    () => {
      const response = new Response(slow("locked"));
      response.body!.getReader();
      return response;
    },
  ],
  ["a Response from fetch()", () => askUpstream("/")],
  ["a Response from fetch() with status 404", () => askUpstream("/404")],
  ["a streamed Response from fetch()", () => askUpstream("/chunked")],
  ["a compressed Response from fetch()", () => askUpstream("/gzip")],
  [
    "a compressed Response from fetch(), in a new one",
    async () => passedOn(await askUpstream("/gzip")),
  ],
  [
    "a compressed Response from fetch(), in a new one with its fields",
    async () => {
      const answer = await askUpstream("/gzip");
      return new Response(answer.body, { status: answer.status, headers: answer.headers });
    },
  ],
  [
    "a clone of a compressed Response from fetch()",
    async () => (await askUpstream("/gzip")).clone() as Response,
  ],
  [
    "a compressed Response from fetch() that was cloned",
    async () => {
      const answer = await askUpstream("/gzip");
      answer.clone();
      return answer;
    },
  ],
  [
    "a compressed Response from fetch() that decodes nothing",
    () => askUpstream("/gzip", "GET", { decompress: false }),
  ],
  [
    "a compressed Response from fetch(), compressed anew",
    async () => {
      const answer = await askUpstream("/gzip");
      return new Response(Bun.gzipSync(Buffer.from(await answer.text())), {
        headers: { "content-encoding": "gzip" },
      });
    },
  ],
  ["a compressed Response from fetch() of HEAD", () => askUpstream("/gzip-head", "HEAD")],
  ["a Response from fetch() of HEAD", () => askUpstream("/head", "HEAD")],
  [
    "a Response from fetch() that was read into a new one",
    async () => {
      const answer = await askUpstream("/");
      return new Response(await answer.text(), { status: answer.status });
    },
  ],
  ["a Response from fetch() of a data: url", () => fetch("data:text/x-data,some%20data")],
  ["an instance of a subclass", () => new Page("a page")],
  ["Response.json() of a subclass", () => Page.json({ a: 1 })],
];
