/**
 * node:http, on Bun or, stripped of its types, on Node: a peer of the differential test. Its first line of output is its port,
 * and it ends with its input.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Echo } from "./app.ts";

const server = createServer((request, response) => {
  // A client that leaves inside its body.
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});

process.stdin.resume().on("end", () => process.exit());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = "", url = "", rawHeaders } = request;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2)
    headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
  const echo: Echo = {
    method,
    url,
    headers: [...headers].sort(),
    body: Buffer.concat(chunks).toString("base64"),
  };
  const json = JSON.stringify(echo);
  if (method === "HEAD") response.setHeader("x-echo", Buffer.from(json).toString("base64"));
  // Without it HTTP/1.0 is answered with a body that ends with the connection.
  response.setHeader("content-length", Buffer.byteLength(json));
  response.end(json);
}
