/**
 * A server of node:http, as it runs by `bun node-http.ts`: it listens by itself, and exports nothing. In a worker its port
 * isn't opened.
 *
 *     gunicorn-ts -w 2 node-http.ts
 */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.setHeader("content-type", "text/plain");
  response.end(`${request.method} ${request.url} from ${request.socket.remoteAddress}\n`);
});

server.listen(3000, () => console.log("listening at", server.address()));
