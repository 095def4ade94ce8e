/** A worker class of the user's own: the example of docs/worker-classes.md, and what is wrong with others. */
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { join } from "node:path";
import {
  program,
  start,
  type RunningServer,
  type ServerOptions,
  until,
  waitsForGo,
} from "../support/server.ts";

const scgi = `${join(import.meta.dir, "../../examples/scgi.ts")}:ScgiServing`;

const app = `import { appendFileSync } from "node:fs";
export const fetch = async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/thrown") throw new Error("thrown here");
  if (pathname === "/slow") { appendFileSync("asked", "x"); ${waitsForGo} }
  return new Response(request.method + " " + pathname + " " + await request.text(), { headers: { "x-own": "yes" } });
};
`;

/** The answer of an SCGI server, whole; rejects when the connection is reset. */
function ask({ port }: RunningServer, target: string, method = "GET", body = ""): Promise<string> {
  const fields = { CONTENT_LENGTH: body.length, SCGI: 1, REQUEST_METHOD: method };
  const more = { REQUEST_URI: target, HTTP_HOST: "test", REMOTE_ADDR: "192.0.2.1" };
  const head =
    Object.entries({ ...fields, ...more })
      .flat()
      .join("\0") + "\0";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = "";
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  socket.on("data", (text: string) => void (answer += text)).on("error", reject);
  socket.on("end", () => resolve(answer));
  socket.write(`${head.length}:${head},${body}`);
  return promise;
}

/** One that serves. */
async function scgiServer({ args = [], ...options }: ServerOptions = {}): Promise<RunningServer> {
  const files = { "app.ts": app, ...options.files };
  const server = start({ ...options, files, args: ["-k", scgi, ...args] });
  await server.logged("Using worker:");
  await until("an answer", () => ask(server, "/").catch(() => false));
  return server;
}

test("the example serves requests, with hooks, access log, max_requests and the app's failures", async () => {
  const config = `export default { preRequest: (worker, { target }) => worker.log.info("hook " + target) };`;
  const args = [
    "--access-logfile",
    "-",
    "--access-logformat",
    "%(h)s %(r)s %(s)s %(B)s %({x-own}o)s",
  ];
  await using server = await scgiServer({ files: { "gunicorn.conf.ts": config }, args });
  expect(await ask(server, "/a?b", "POST", "hello")).toBe(
    "Status: 200\r\nx-own: yes\r\n\r\nPOST /a hello",
  );
  await server.logged("hook /a?b");
  await server.logged("192.0.2.1 POST /a?b  200 13 yes");
  expect(await ask(server, "/thrown")).toStartWith("Status: 500");
  await server.logged("Error handling request GET /thrown");
  expect(await ask(server, "/", "HEAD")).toEndWith("\r\n\r\n");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("HUP, TTIN, TTOU and max_requests lose none of its requests, and a stop answers what is under way", async () => {
  await using server = await scgiServer({ args: ["-w", "2", "--max-requests", "300"] });
  const failures: string[] = [];
  let count = 0;
  const load = new AbortController();
  const client = async (): Promise<void> => {
    while (!load.signal.aborted) {
      const answer = await ask(server, "/a").catch((error: Error) => error.message);
      if (answer.endsWith("GET /a ")) count += 1;
      else failures.push(answer);
    }
  };
  const clients = Array.from({ length: 6 }, client);
  for (const [signal, workers] of [
    ["SIGHUP", 2],
    ["SIGTTIN", 3],
    ["SIGTTOU", 2],
    ["SIGHUP", 2],
  ] as const) {
    const before = server.workers();
    server.kill(signal);
    await until(`${signal} obeyed`, () => {
      const now = server.workers();
      const isDone = signal !== "SIGHUP" || now.every((pid) => !before.includes(pid));
      return isDone && now.length === workers;
    });
    const asked = count + 200;
    await until("requests", () => count > asked || failures.length > 0);
  }
  await server.logged("Autorestarting worker");
  load.abort();
  await Promise.all(clients);
  expect(failures).toEqual([]);
  const slow = ask(server, "/slow");
  await until("asked", () => Bun.file(join(server.folder, "asked")).exists());
  server.kill("SIGTERM");
  await server.logged("Handling signal: term");
  server.go();
  expect(await slow).toEndWith("GET /slow ");
  expect(await server.process.exited).toBe(0);
}, 120_000);

const own = `
export class Poor { listen() {} }
export class Fields { listen = () => {}; windDown = () => {}; drain = async () => {}; }
class Base { windDown() {} async drain() {} listen() {} }
export class Late extends Base { async listen() { throw new Error("can't listen today"); } }
export class Unmade extends Base { constructor() { super(); throw new Error("no instance today"); } }
export class Base2 extends Base {
  constructor(context) {
    super();
    const { app, ...rest } = context;
    context.log.info("context: " + Object.keys(rest).sort() + " app: " + Object.keys(app).sort());
    context.log.info("frozen: " + Object.isFrozen(context) + Object.isFrozen(app));
    context.log.info("routes: " + Object.keys(app.routes));
  }
}
export class BadEnd extends Base {
  listen() { console.error("listens"); }
  async drain() { throw new Error("no end today"); }
}
export const value = 5;
export const arrow = () => {};
`;

const files = {
  "app.ts": `export default { fetch: () => new Response(), routes: { "/a": new Response() } };`,
  "own.ts": own,
  "broken.ts": "throw new Error('no import today');",
  "exits.ts": "process.exit(7);",
};

const refusals: [reference: string, message: string][] = [
  ["./none.ts:None", "no module named './none.ts' in "],
  ["none:None", "no module named 'none' in "],
  ["own:None", "'own:None': no class None, own.ts exports "],
  ["./own.ts:value", "'./own.ts:value': value must be a class, got 5\n"],
  ["./own.ts:arrow", "'./own.ts:arrow': arrow must be a class, got a function\n"],
  ["./own.ts:Poor", "'./own.ts:Poor': has no method windDown, drain\n"],
  ["./own.ts:Fields", "'./own.ts:Fields': has no method listen, windDown, drain\n"],
  ["./broken.ts:Own", "'./broken.ts:Own': Error: no import today\n"],
  ["./exits.ts:Own", "'./exits.ts:Own': it ended the process with exit code 7\n"],
];

test.each(refusals)(
  "%s is refused with one line, by a start and by --check-config",
  async (reference, message) => {
    for (const more of [[], ["--check-config"]]) {
      await using server = start({ files, args: ["-k", reference, ...more] });
      expect(await server.process.exited).toBe(1);
      await until("its complaint", () => server.ended());
      expect(server.log).toStartWith(`Error: --worker-class: ${message}`);
      expect(server.log.trim()).not.toContain("\n");
    }
  },
  120_000,
);

test("a class in the configuration file is refused", async () => {
  const config = `export default { workerClass: class { listen() {} windDown() {} drain() {} } };`;
  await using server = start({ files: { ...files, "gunicorn.conf.ts": config } });
  expect(await server.process.exited).toBe(1);
  await until("its complaint", () => server.ended());
  expect(server.log).toBe(
    "Error: gunicorn.conf.ts: workerClass: must be the text MODULE:CLASS, got a function: each worker loads it for itself, by its name\n",
  );
});

test.each([
  ["Late", "can't listen today"],
  ["Unmade", "no instance today"],
])("what %s throws ends the start with 3", async (name, message) => {
  await using server = start({ files, args: ["-k", `./own.ts:${name}`] });
  expect(await server.process.exited).toBe(3);
  await until("its complaint", () => server.ended());
  expect(server.log).toContain(`Exception in worker process\nError: ${message}`);
});

test("a class gets the public context, frozen, with the app's routes; by the configuration file too", async () => {
  const config = `export default { workerClass: "./own.ts:Base2" };`;
  await using server = start({ files: { ...files, "gunicorn.conf.ts": config } });
  await server.logged(
    "context: config,handler,hasWaiting,listeners,log,numWorkers,observers,slot,tls app: describe,fetch,options,routes,websocket",
  );
  await server.logged("frozen: truetrue");
  await server.logged("routes: /a");
  expect(await server.stop()).toBe(0);
});

test("a drain that rejects is told, and ends the worker", async () => {
  await using server = start({ files, args: ["-k", "./own.ts:BadEnd"] });
  await server.logged("listens");
  expect(await server.stop()).toBe(0);
  expect(server.log).toContain("Exception in drain of the worker class\nError: no end today");
});

test("a reload that finds the class broken leaves the workers, and can't change the class", async () => {
  const config = (name: string): string => `export default { workerClass: "./own.ts:${name}" };`;
  await using server = start({ files: { ...files, "gunicorn.conf.ts": config("Base2") } });
  await server.logged("frozen: truetrue");
  const write = (name: string, text: string) => Bun.write(join(server.folder, name), text);
  await write("gunicorn.conf.ts", config("BadEnd"));
  server.kill("SIGHUP");
  const at = await server.logged(
    "workerClass: can't change from ./own.ts:Base2 to ./own.ts:BadEnd",
  );
  await write("gunicorn.conf.ts", config("Base2"));
  await write("own.ts", "export class Other {}");
  server.kill("SIGHUP");
  await server.logged("workerClass: './own.ts:Base2': no class Base2, own.ts exports Other", at);
  await server.settled(1);
  expect(await server.stop()).toBe(0);
});

/** Answers each connection once, without a look at what it asks. */
const hasty = (text: string): string => `
import { createServer } from "node:net";
export class Hasty {
  constructor(context) { this.context = context; }
  listen() {
    const { listeners, handler } = this.context;
    this.servers = listeners.map(({ fd }) => createServer((socket) => {
      socket.once("data", async () => {
        const facts = { method: "GET", target: "/" };
        const request = new Request("http://localhost/");
        const response = await handler.begin(facts, request, null);
        socket.end("HTTP/1.1 200 OK\\r\\n\\r\\n${text} " + await response.text());
        handler.finish(facts, request, response);
      });
    }).listen({ fd }));
  }
  windDown() {}
  async drain() { for (const server of this.servers) server.close(); }
}
`;

test("a class of a package serves, a reload takes its new code, and --request asks by it", async () => {
  const place = "node_modules/@scope/own/index.js";
  const packaged = {
    "app.ts": `export const fetch = () => new Response("of the app");`,
    [place]: hasty("first"),
    "node_modules/@scope/own/package.json": `{ "name": "@scope/own", "type": "module", "main": "index.js" }`,
  };
  const args = ["-k", "@scope/own:Hasty"];
  await using server = start({ files: packaged, args });
  await server.logged("Using worker: @scope/own:Hasty");
  const ask = async (): Promise<string> => (await fetch(server.url, { keepalive: false })).text();
  await until("an answer", () => ask().catch(() => false));
  expect(await ask()).toBe("first of the app");
  await Bun.write(join(server.folder, place), hasty("second"));
  server.kill("SIGHUP");
  // It resets what waits when it leaves.
  await until("the new code", async () => (await ask().catch(() => "")) === "second of the app");
  const asked = Bun.spawn([process.execPath, program, ...args, "--request", "GET /", "app"], {
    cwd: server.folder,
    stderr: "ignore",
  });
  expect(await asked.stdout.text()).toBe("HTTP/1.1 200 OK\n\nsecond of the app");
  expect(await asked.exited).toBe(0);
  expect(await server.stop()).toBe(0);
});
