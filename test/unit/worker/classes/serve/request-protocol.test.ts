/** Bun says nowhere that this is so: with each new version of it, these rows show whether it still is. */
import { afterAll, describe, expect, test } from "bun:test";
import http2 from "node:http2";
import { protocolOf } from "../../../../../src/worker/classes/serve/request-protocol.ts";

const answer = (request: Request) => new Response(`<${protocolOf(request)}>`);
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  http2: true,
  routes: { "/users/:id": answer, "/by-method": { GET: answer, POST: answer } },
  fetch: answer,
});
const session = http2.connect(server.url.href);
afterAll(async () => {
  session.destroy();
  await server.stop(true);
});

/** Sends bytes, and answers with what is said of the request. */
async function http1(bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port as number,
    socket: {
      data(_, part) {
        text += part.toString("latin1");
        const said = /<(.*)>/.exec(text)?.[1];
        if (said !== undefined) resolve(said);
      },
      close: () => resolve(text),
    },
  });
  socket.write(bytes);
  const said = await promise;
  socket.end();
  return said;
}

function http2Request(fields: Record<string, string>, body: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const stream = session.request(fields);
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (part: string) => (text += part));
  stream.on("error", reject);
  stream.on("end", () => resolve(/<(.*)>/.exec(text)?.[1] ?? text));
  stream.end(body);
  return promise;
}

const long = "x".repeat(5000);

const host = "Host: a\r\n";
const websocket =
  "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

describe("protocolOf() of HTTP/1", () => {
  test.each([
    ["a request", `GET / HTTP/1.1\r\n${host}\r\n`],
    ["a query", `GET /path?query HTTP/1.1\r\n${host}\r\n`],
    ["a long path", `GET /${long} HTTP/1.1\r\n${host}\r\n`],
    ["a long field", `GET / HTTP/1.1\r\n${host}X-Long: ${long}\r\n\r\n`],
    ["keep-alive", `GET / HTTP/1.1\r\n${host}Connection: keep-alive\r\n\r\n`],
    ["an empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"],
    ["absolute-form", `GET http://a/b HTTP/1.1\r\n${host}\r\n`],
    ["HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n"],
    ["a route", `GET /users/7 HTTP/1.1\r\n${host}\r\n`],
    ["a route by method", `GET /by-method HTTP/1.1\r\n${host}\r\n`],
    ["a body", `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`],
    [
      "a chunked body",
      `POST /by-method HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    ],
    ["a websocket", `GET / HTTP/1.1\r\n${host}${websocket}\r\n`],
  ])("%s", async (_, bytes) => {
    expect(await http1(bytes)).toBe("HTTP/1.1");
  });
});

describe("protocolOf() of HTTP/2", () => {
  test.each([
    ["a request", { ":path": "/" }, ""],
    ["a query", { ":path": "/path?query" }, ""],
    ["a long path", { ":path": `/${long}` }, ""],
    ["a long field", { ":path": "/", "x-long": long }, ""],
    ["a route", { ":path": "/users/7" }, ""],
    ["a route by method", { ":path": "/by-method" }, ""],
    ["a body", { ":path": "/", ":method": "POST" }, "abc"],
    ["a body with length", { ":path": "/", ":method": "POST", "content-length": "3" }, "abc"],
  ])("%s", async (_, fields, body) => {
    expect(await http2Request(fields, body)).toBe("HTTP/2");
  });
});
