// The apps of bench/apps with node:http. By the environment, since PM2 adds words of its own: BENCH_APP, BENCH_FILE, BENCH_PORT,
// BENCH_WORKERS (0 is one process, as PM2 wants it), BENCH_CERTIFICATE, BENCH_KEY.
import cluster from "node:cluster";
import { createReadStream, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { Readable } from "node:stream";

const { BENCH_APP: app, BENCH_FILE: path, BENCH_PORT: port, BENCH_WORKERS: workers } = process.env;
const { BENCH_CERTIFICATE: certificate, BENCH_KEY: key } = process.env;
const rows = Array.from({ length: 10 }, (_, id) => ({ id, name: `Item ${id}`, price: id * 1.5 }));
const chunk = Buffer.alloc(4096, "x");

function send(response, type, body) {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

const apps = {
  hello: (response) => send(response, "text/plain;charset=utf-8", "Hello, World!\n"),
  json: (response) => {
    const body = JSON.stringify({ message: "Hello, World!", rows });
    send(response, "application/json;charset=utf-8", body);
  },
  stream: (response) => {
    let left = 16;
    const body = new Readable({
      read() {
        this.push(left-- > 0 ? chunk : null);
      },
    });
    response.writeHead(200, { "content-type": "application/octet-stream" });
    body.pipe(response);
  },
  file: async (response) => {
    const { size } = await stat(path);
    const fields = { "content-type": "application/octet-stream", "content-length": size };
    response.writeHead(200, fields);
    createReadStream(path).pipe(response);
  },
};

const run = apps[app];
const answer = (_request, response) => run(response);

if (cluster.isPrimary && Number(workers) > 0) {
  for (let worker = 0; worker < Number(workers); worker++) cluster.fork();
} else {
  const secure = certificate !== undefined && {
    cert: readFileSync(certificate),
    key: readFileSync(key),
  };
  const server = secure ? https.createServer(secure, answer) : http.createServer(answer);
  server.keepAliveTimeout = 60_000;
  server.listen(Number(port), "127.0.0.1");
}
