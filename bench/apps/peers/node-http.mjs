// hello and json with node:http. By the environment, since PM2 adds words of its own: BENCH_APP, BENCH_PORT, BENCH_WORKERS (0 is one
// process, as PM2 wants it), BENCH_CERTIFICATE, BENCH_KEY.
import cluster from "node:cluster";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

const { BENCH_APP: app, BENCH_PORT: port, BENCH_WORKERS: workers } = process.env;
const { BENCH_CERTIFICATE: certificate, BENCH_KEY: key } = process.env;
const rows = Array.from({ length: 10 }, (_, id) => ({ id, name: `Item ${id}`, price: id * 1.5 }));

const apps = {
  hello: () => ["text/plain;charset=utf-8", "Hello, World!\n"],
  json: () => [
    "application/json;charset=utf-8",
    JSON.stringify({ message: "Hello, World!", rows }),
  ],
};

function answer(_request, response) {
  const [type, body] = apps[app]();
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

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
