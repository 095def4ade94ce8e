// A proxy before a server of its own, which only the proxy is to reach: on a port that the system chooses.
import { createServer } from "node:http";
import httpProxy from "http-proxy";
import { listener } from "./shared/node-listener.js";

const behind = createServer(listener);
behind.listen(0, "127.0.0.1", () => {
  const target = `http://127.0.0.1:${behind.address().port}`;
  const proxy = httpProxy.createProxyServer({ target, xfwd: true });
  proxy.on("error", (error, req, res) => res.destroy?.());
  createServer((req, res) => proxy.web(req, res)).listen(process.env.PORT);
});
