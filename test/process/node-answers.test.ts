/** What a node listener can do instead of a usual answer, served by each class and by node:http itself. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { bareServer } from "../support/bare.ts";
import { field, RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer } from "../support/server.ts";
import { get, get10, requestText } from "../support/wire.ts";

setDefaultTimeout(60_000);

const app = `import { createServer } from "node:http";
const ways = {
  "/socket": (req) => req.socket.destroy(),
  "/response": (req, res) => res.destroy(),
  "/request": (req) => req.destroy(),
  "/later": (req) => setTimeout(() => req.socket.destroy(), 5),
  "/end": (req) => req.socket.end(),
  "/bytes": (req, res) => res.end(Buffer.from("hi")),
  "/text": (req, res) => res.end("hi"),
  "/large": (req, res) => res.end("x".repeat(3_000_000)),
  "/parts": (req, res) => { res.write("h"); setTimeout(() => res.end("i"), 5); },
  "/typed": (req, res) => res.setHeader("Content-Type", "text/x").end("hi"),
  "/nothing": (req, res) => res.end(),
  "/no-content": (req, res) => res.writeHead(204).end("hi"),
  "/": (req, res) => res.end(),
  "*": (req, res) => res.end(req.method + " " + req.url),
};
const server = createServer((req, res) => {
  const [path, status] = req.url.split("?");
  if (status === undefined) ways[path](req, res);
  else res.writeHead(Number(status), "As they say", { "X-Own": "yes" }).end("dropped");
});
server.listen(process.env.PORT ?? 1, "127.0.0.1", () => console.log("port", server.address().port));
`;

const servers = new AsyncDisposableStack();
let async: RunningServer;
let serve: RunningServer;
let barePort: number;

beforeAll(async () => {
  const options = (workerClass: string) => ({
    files: { "app.ts": app },
    args: ["-k", workerClass, "--access-logfile", "-"],
  });
  async = servers.use(await gunicorn(options("async")));
  serve = servers.use(await gunicorn(options("serve")));
  barePort = servers.use(await bareServer(`${async.folder}/app.ts`)).port;
});

afterAll(() => servers.disposeAsync());

/** How the connection ends when nothing has come; or the status. */
async function outcome(port: number, path: string): Promise<string> {
  using client = await RawClient.connect(port);
  client.send(get(path));
  const ended = client.ended().then((how) => (client.unread === 0 ? how : ""));
  const answered = client.seen("\r\n\r\n").then(() => "");
  const first = await Promise.race([ended, answered.catch(() => ended)]);
  return first === "" ? String((await client.answer()).status) : first;
}

test.each(["/socket", "/response", "/request", "/later", "/end"])(
  "a listener that ends the connection instead of answering: %s",
  async (path) => {
    const [ours, bare] = [await outcome(async.port, path), await outcome(barePort, path)];
    expect([ours, bare]).toEqual(["fin", "fin"]);
    // Bun.serve can't: that is said in one line.
    const from = serve.log.length;
    expect(await outcome(serve.port, path)).toBe("500");
    await serve.logged(
      `Error handling request GET ${path}: The app has closed the connection, which Bun.serve can't: 500 is sent, use --worker-class async\n`,
      from,
    );
    expect(serve.log).not.toMatch(/^ {4}at /m);
  },
);

test.each(["/bytes", "/text", "/large", "/parts", "/typed", "/nothing", "/no-content"])(
  "an answer has the type that the listener says, or none: %s",
  async (path) => {
    const found: unknown[] = [];
    for (const port of [async.port, serve.port, barePort]) {
      using client = await RawClient.connect(port);
      const answer = await client.ask(get(path));
      found.push([answer.status, field(answer, "content-type"), answer.body.length]);
    }
    expect(found).toEqual([found[2], found[2], found[2]]);
  },
);

test("of an answer without a type the access log has the length", async () => {
  for (const server of [async, serve]) await server.logged(/"GET \/large HTTP\/1\.1" 200 3000000 /);
});

test.each([101, 102, 103, 150, 199])(
  "an interim status in the place of the last one goes out as from node:http, and ends the connection: %d",
  async (status) => {
    const found: unknown[] = [];
    for (const port of [async.port, barePort]) {
      using client = await RawClient.connect(port);
      const answer = await client.ask(get(`/?${status}`));
      found.push([answer.status, answer.reason, field(answer, "x-own"), client.unread]);
      if (port === async.port) expect(await client.ended()).toBe("fin");
    }
    expect(found).toEqual([found[1], [status, "As they say", "yes", 0]]);
    await async.logged(`An answer with status ${status} isn't a last one: the connection ends`);
  },
);

test("HTTP/1.0 knows no interim status", async () => {
  using client = await RawClient.connect(async.port);
  expect((await client.ask(get10("/?103"))).status).toBe(500);
});

test.each([199, 600])(
  "a status that Bun.serve can't send is told, with 500: %d",
  async (status) => {
    using client = await RawClient.connect(serve.port);
    expect((await client.ask(get(`/?${status}`))).status).toBe(500);
    await serve.logged(`RangeError: The status provided (${status}) must be`);
  },
);

// Bun's own node:http refuses it; node's gives it to the listener.
test("OPTIONS * reaches the listener, as in node", async () => {
  for (const [port, status] of [
    [async.port, 200],
    [barePort, 400],
  ] as const) {
    using client = await RawClient.connect(port);
    expect((await client.ask(requestText("OPTIONS", "*"))).status).toBe(status);
  }
});

test("-k serve says at the start what a node listener lacks there", () => {
  expect(serve.log).toContain(
    "a node listener on worker class serve has no upgrades, trailers and interim answers: use --worker-class async",
  );
  expect(async.log).not.toContain("a node listener on worker class");
});
