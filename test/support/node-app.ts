/** A server of node:http with a path for everything that a listener can do. It listens nowhere yet. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

const facts = (req: IncomingMessage): object => {
  const { method, url, httpVersion, headers, headersDistinct, rawHeaders } = req;
  const raw = rawHeaders.filter((_, at) => (rawHeaders[at & ~1] ?? "").toLowerCase() !== "host");
  delete headers["host"];
  delete headersDistinct["host"];
  return { method, url, httpVersion, headers, headersDistinct, raw };
};

/** Of what is thrown. */
function codeOf(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** What has happened to the last request that tells. */
const told: string[] = [];

function tellAll(req: IncomingMessage, res: ServerResponse): void {
  for (const event of ["aborted", "end", "close", "error"])
    req.on(event, () => told.push(`req ${event}`));
  for (const event of ["finish", "close", "error"]) res.on(event, () => told.push(`res ${event}`));
}

/** What /strict has seen. */
const codes: unknown[] = [];

const listeners: Readonly<Record<string, Listener>> = {
  "/facts": (req, res) => void res.end(JSON.stringify(facts(req))),
  "/reasons": (_req, res) => void res.writeHead(418, "I'm a cup").end("cup"),
  "/raw-list": (_req, res) =>
    void res.writeHead(200, ["X-Twice", "1", "X-Twice", "2", "Content-Type", "text/x"]).end("list"),
  "/cookies": (_req, res) => {
    res.setHeader("Set-Cookie", ["a=1", "b=2"]);
    res.appendHeader("X-More", "1");
    res.appendHeader("X-More", "2");
    res.end("cookies");
  },
  "/empty": (_req, res) => void res.end(),
  "/no-content": (_req, res) => void res.writeHead(204).end(),
  "/not-modified": (_req, res) => void res.writeHead(304, { ETag: '"a"' }).end(),
  "/length-of-head": (_req, res) => void res.writeHead(200, { "Content-Length": 12 }).end(),
  "/latin": (_req, res) => void res.end("\xe9\xe8", "latin1"),
  "/utf8": (_req, res) => void res.end("\u00e9\u20ac"),
  "/base64": (_req, res) => void res.end("aGVsbG8=", "base64"),
  "/bytes": (_req, res) => void res.end(new Uint8Array([0, 255, 1])),
  "/views": (_req, res) => {
    res.write(new Uint16Array([0x6162, 0x6364]));
    res.end(new DataView(new ArrayBuffer(3), 1));
  },
  "/view": (_req, res) => void res.end(new Uint16Array([0x6162])),
  "/no-bytes": (_req, res) => {
    const codes = [
      codeOf(() => res.write(5 as never)),
      codeOf(() => res.write({} as never)),
      codeOf(() => res.end(1e9 as never)),
    ];
    res.end(codes.join());
  },
  "/strict": (req, res) => {
    const [stated, ...parts] = new URL(req.url!, "http://x").searchParams.getAll("part");
    res.strictContentLength = true;
    res.setHeader("Content-Length", stated!);
    const last = parts.pop();
    for (const part of parts) res.write(part);
    const code = codeOf(() => res.end(last));
    if (code === undefined) return;
    codes.push(code);
    res.destroy();
  },
  "/codes": (_req, res) => void res.end(JSON.stringify(codes.splice(0))),
  "/parts": (_req, res) => {
    res.write("one,");
    res.write(Buffer.from("two,"));
    setImmediate(() => res.end("three"));
  },
  "/parts-of-a-length": (_req, res) => {
    res.setHeader("Content-Length", 6);
    res.write("abc");
    res.end("def");
  },
  "/flushed": (_req, res) => {
    res.setHeader("X-Early", "yes");
    res.flushHeaders();
    setImmediate(() => res.end("late"));
  },
  "/used-buffer": (_req, res) => {
    const buffer = Buffer.from("first");
    res.write(buffer, () => {
      buffer.fill("x");
      res.end("!");
    });
  },
  "/later": (req, res) => {
    const ms = Number(new URL(req.url!, "http://x").searchParams.get("ms"));
    setTimeout(() => res.end(`after ${ms}`), ms);
  },
  "/closes": (_req, res) => void res.setHeader("Connection", "close").end("bye"),
  "/cut": (req) => void req.socket.destroy(),
  "/cut-answer": (_req, res) => void res.destroy(),
  "/cut-later": (_req, res) => void setImmediate(() => res.destroy()),
  "/cut-inside": (_req, res) => {
    res.write("half");
    setTimeout(() => res.destroy(), 50);
  },
  "/echo": (req, res) => void req.pipe(res),
  "/count": (req, res) => {
    let bytes = 0;
    req.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      // Now and then it is too much.
      if (bytes % 3 !== 0) return;
      req.pause();
      setImmediate(() => req.resume());
    });
    req.on("end", () => res.end(`${bytes} ${req.complete}`));
  },
  "/upload": (req, res) => {
    for (const event of ["aborted", "end", "close"]) req.on(event, () => told.push(event));
    req.on("error", (error: NodeJS.ErrnoException) => told.push(`error ${error.code}`));
    req.on("data", () => told.includes("data") || told.push("data"));
    req.on("end", () => res.end("whole"));
  },
  "/streamed": (req, res) => {
    tellAll(req, res);
    pipeline(Readable.from(["one,", "two"]), createGzip(), res, (error) => {
      told.push(`pipeline ${error?.message ?? "done"}`);
    });
  },
  "/streamed-later": (req, res) => {
    tellAll(req, res);
    res.write("one,");
    setTimeout(() => res.end("two"), 20);
  },
  "/answered-first": (req, res) => {
    tellAll(req, res);
    res.end("answered");
    let bytes = 0;
    req.on("data", (chunk: Buffer) => (bytes += chunk.length));
    req.on("end", () => told.push(`${bytes} bytes`));
  },
  "/answered-inside": (req, res) => {
    tellAll(req, res);
    let bytes = 0;
    req.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (!res.writableEnded) res.end("answered");
    });
    req.on("end", () => told.push(`${bytes} bytes`));
  },
  "/unread-told": (req, res) => {
    tellAll(req, res);
    res.end("answered");
  },
  "/not-kept-alive": (_req, res) => {
    res.shouldKeepAlive = false;
    res.end("last");
  },
  "/closes-and-more": (_req, res) => void res.setHeader("Connection", "X-A, Close").end("last"),
  "/socket-ends": (req, res) => {
    res.end("last");
    req.socket.end();
  },
  "/socket-ends-soon": (req, res) => {
    res.end("last");
    req.socket.destroySoon();
  },
  "/socket-destroyed": (req, res) => {
    res.end("last");
    req.socket.destroy();
  },
  "/socket-destroyed-behind": (req, res) => {
    res.on("finish", () => req.socket.destroy());
    res.write("last");
    res.end();
  },
  "/response-destroyed": (_req, res) => {
    res.end("last");
    res.destroy();
  },
  "/destroyed-at-once": (req, res) => {
    tellAll(req, res);
    const { what } = Object.fromEntries(new URL(req.url!, "http://x").searchParams);
    if (what?.endsWith("after")) res.end("last");
    if (what?.startsWith("req")) req.destroy();
    else if (what?.startsWith("res")) res.destroy();
    else req.socket.destroy();
  },
  "/large": (_req, res) => void res.end(Buffer.alloc(1_000_000)),
  "/memory": (_req, res) => {
    Bun.gc(true);
    res.end(String(process.memoryUsage().external));
  },
  "/local": (req, res) => {
    const { localAddress, localPort, localFamily } = req.socket;
    res.end([localAddress, localPort, localFamily].join());
  },
  "/ends-first": (req) => void req.socket.end(),
  "/ends-inside": (req, res) => {
    res.write("half");
    setTimeout(() => req.socket.end(), 20);
  },
  "/idles-briefly": (req, res) => {
    Object.assign((req.socket as unknown as { server: object }).server, {
      keepAliveTimeout: 10,
      keepAliveTimeoutBuffer: 0,
    });
    res.end("idle");
  },
  "/told": (_req, res) => void res.end(JSON.stringify(told.splice(0))),
  "/trailers": (_req, res) => {
    res.setHeader("Trailer", "X-Sum, X-More");
    res.write("body");
    res.addTrailers({ "X-Sum": "42", "X-More": "\u00e9" });
    res.end();
  },
  "/trailers-later": (_req, res) => {
    res.write("body");
    setTimeout(() => {
      res.addTrailers([
        ["X-Sum", "42"],
        ["X-Sum", "43"],
      ]);
      res.end("more");
    }, 20);
  },
  "/trailers-at-once": (_req, res) => {
    res.addTrailers({ "X-Sum": "42" });
    res.end("body");
  },
  "/trailers-without-chunks": (_req, res) => {
    res.setHeader("Content-Length", 4);
    res.addTrailers({ "X-Sum": "42" });
    res.end("body");
  },
  "/trailers-of-nothing": (_req, res) => {
    res.addTrailers({});
    res.write("body");
    res.end();
  },
  "/trailers-that-lie": (_req, res) => {
    res.write("body");
    res.addTrailers({ "Content-Length": "5", "X-Sum": "42", "Transfer-Encoding": "gzip" });
    res.end();
  },
  "/trailers-with-lines": (_req, res) => {
    const codes = [
      codeOf(() => res.addTrailers({ "X-Sum": "42\r\nX-Other: 1" })),
      codeOf(() => res.addTrailers({ "X-Sum: 42\r\nX-Other": "1" })),
    ];
    res.write(codes.join());
    res.end();
  },
  "/got-trailers": (req, res) => {
    const early = JSON.stringify([req.trailers, req.rawTrailers]);
    req.resume();
    req.on("end", () => {
      const { trailers, trailersDistinct, rawTrailers } = req;
      res.end(early + JSON.stringify({ trailers, trailersDistinct, rawTrailers }));
    });
  },
  "/unread": (_req, res) => void res.end("not read"),
  "/hints": (_req, res) => {
    res.writeEarlyHints({ link: "</a.css>; rel=preload", "x-hint": "1" });
    res.writeProcessing();
    res.end("hinted");
  },
  "/waits-for-room": (_req, res) => {
    const piece = "x".repeat(65_536);
    let left = 100;
    let waits = 0;
    const write = (): void => {
      while (left > 0) {
        left -= 1;
        if (res.write(piece)) continue;
        waits += 1;
        res.once("drain", write);
        return;
      }
      res.end(waits > 0 ? "waited" : "never waited");
    };
    write();
  },
  "/socket": (req, res) => {
    const { socket } = req as { socket: { seen?: number } };
    socket.seen = (socket.seen ?? 0) + 1;
    res.end(`request ${socket.seen}`);
  },
  "/finished": (_req, res) => {
    res.on("finish", () => (events.finished += 1));
    res.on("close", () => (events.closed += 1));
    res.end("over");
  },
  "/events": (_req, res) =>
    void server.getConnections((_error, connections) =>
      res.end(JSON.stringify({ ...events, connections })),
    ),
};

const events = { finished: 0, closed: 0 };

const server = createServer((req, res) => {
  const listener = listeners[new URL(req.url!, "http://x").pathname];
  if (listener === undefined) res.writeHead(404).end("nothing here");
  else listener(req, res);
});

server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
  if (req.url === "/refused") return void res.writeHead(417).end("no");
  res.writeContinue();
  server.emit("request", req, res);
});

export default server;
