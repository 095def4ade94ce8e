// A custom server as Next.js documents it: it listens when the app is prepared, some time after the import.
import { createServer } from "node:http";
import { parse } from "node:url";
import { listener } from "./shared/node-listener.js";

const app = {
  prepare: () => new Promise((resolve) => setTimeout(resolve, 300)),
  getRequestHandler: () => (req, res, url) => {
    req.query = url.query;
    listener(req, res);
  },
};
const handle = app.getRequestHandler();

app.prepare().then(() => {
  createServer((req, res) => {
    const parsedUrl = parse(req.url, true);
    handle(req, res, parsedUrl);
  }).listen(process.env.PORT);
});
