/** All of it with nothing but node:http. */
import { createReadStream, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import busboy from "busboy";
import { leave, measured, sse, stream } from "./node-parts.js";
import { file, large, left, sha256, text } from "./parts.js";

async function read(req) {
  const pieces = [];
  for await (const piece of req) pieces.push(piece);
  return Buffer.concat(pieces);
}

function json(res, value) {
  const body = JSON.stringify(value);
  res.writeHead(200, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  });
  res.end(body);
}

/** Answers with the fields and files of a form, by busboy. */
export function upload(req, answer) {
  const got = {};
  const files = [];
  const form = busboy({ headers: req.headers, defParamCharset: "utf8" });
  form.on("field", (name, value) => (got[name] = value));
  form.on("file", (name, stream, info) => {
    const keep = (bytes) => (got[name] = { ...info, bytes: bytes.length, sha256: sha256(bytes) });
    files.push(read(stream).then(keep));
  });
  form.on("close", () => Promise.all(files).then(() => answer(got)));
  req.pipe(form);
}

function sendFile(req, res) {
  const { size, mtime } = statSync(file);
  if (req.headers["if-modified-since"] !== undefined) {
    if (new Date(req.headers["if-modified-since"]) >= mtime) return res.writeHead(304).end();
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(req.headers.range ?? "");
  const [start, end] = range === null ? [0, size - 1] : [Number(range[1]), Number(range[2])];
  res.statusCode = range === null ? 200 : 206;
  if (range !== null) res.setHeader("Content-Range", `bytes ${start}-${end}/${size}`);
  res.setHeader("Content-Length", end - start + 1);
  createReadStream(file, { start, end }).pipe(res);
}

const routes = {
  "GET /query": (req, res, url) => json(res, { query: [...url.searchParams] }),
  "HEAD /query": (req, res, url) => json(res, { query: [...url.searchParams] }),
  "POST /json": async (req, res) => {
    const body = (await read(req)).toString();
    try {
      json(res, JSON.parse(body));
    } catch {
      res.statusCode = 400;
      res.end("no JSON");
    }
  },
  "POST /form": async (req, res) => {
    json(res, [...new URLSearchParams((await read(req)).toString())]);
  },
  "POST /upload": (req, res) => upload(req, (got) => json(res, got)),
  "GET /stream": stream,
  "GET /sse": sse,
  "GET /cookies": (req, res) => {
    res.setHeader("Set-Cookie", ["a=1", "b=2; HttpOnly"]);
    res.end(req.headers.cookie);
  },
  "GET /redirect": (req, res) => res.writeHead(302, "Elsewhere", { Location: "/query" }).end(),
  "GET /throw": (req, res) => res.writeHead(503, { "Retry-After": 5 }).end("on purpose"),
  "GET /large": (req, res) => res.end(large),
  "HEAD /large": (req, res) => res.end(large),
  "POST /large": async (req, res) => json(res, await measured(req)),
  "GET /file.txt": sendFile,
  "GET /address": (req, res) => {
    const { remoteAddress, encrypted } = req.socket;
    res.end(`${remoteAddress} ${encrypted === true}`);
  },
  "GET /leave": leave,
  "GET /left": (req, res) => res.end(String(left.count)),
  "GET /text": (req, res) => {
    res.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync(text));
  },
};

export function listener(req, res) {
  const url = new URL(req.url, "http://x");
  const route = routes[`${req.method} ${url.pathname}`];
  if (route === undefined) return void res.writeHead(404).end("not here");
  void route(req, res, url);
}
