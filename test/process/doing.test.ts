/** What the log and `ctl show requests` say of workers that hang, or that are ended with requests. */
import { describe, expect, test } from "bun:test";
import { ctlData } from "../support/ctl.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type ServerOptions, until } from "../support/server.ts";

const limitMs = 300_000;

/** Each way to be busy has its path. */
const acts = `import { read } from "bun:ffi";
const act = (url) => {
  if (url.includes("/loop")) for (;;);
  if (url.includes("/sleep")) Bun.sleepSync(600_000);
  if (url.includes("/wait")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (url.includes("/crash")) read.u8(8, 0);
  if (url.includes("/exit")) process.exit(7);
};`;
const fetchApp = `${acts}
export const fetch = (request) => {
  act(request.url);
  if (request.url.includes("/hang")) return new Promise(() => {});
  return new Response("ok");
};`;
const nodeApp = `${acts}
import { createServer } from "node:http";
export default createServer((req, res) => (act(req.url), res.end("ok")));`;

const kinds: readonly (readonly [
  what: string,
  app: string,
  args: readonly string[],
  wait: string,
])[] = [
  ["async", fetchApp, ["-k", "async"], "wait"],
  ["sync", fetchApp, ["-k", "sync"], "sleep"],
  ["serve", fetchApp, ["-k", "serve"], "sleep"],
  ["a node listener", nodeApp, [], "wait"],
];

/** Sends a request that is never answered; its connection is the caller's to close. */
async function begin(port: number, path: string): Promise<RawClient> {
  const client = await RawClient.connect(port);
  client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return client;
}

const busy = async (app: string, { args = [], ...rest }: ServerOptions) =>
  await gunicorn({ files: { "app.ts": app }, args: [...args, "--timeout", "3"], ...rest });

describe.each(kinds)("%s", (_, app, args, wait) => {
  test(
    "a worker that hangs names the request, and whether it computes or waits",
    async () => {
      const waiting = String.raw`waiting( \(\w+\))?`;
      const rows = [
        ["/loop/%0a?secret", `computing, 1 request in flight: GET /loop/%0a for`],
        [`/${wait}/%22?secret`, `${waiting}, 1 request in flight: GET /${wait}/%22 for`],
      ] as const;
      const hang = async ([path, text]: (typeof rows)[number]) => {
        await using server = await busy(app, { args });
        using client = await begin(server.port, path);
        await server.logged(
          new RegExp(String.raw`\[CRITICAL\] WORKER TIMEOUT \(pid:\d+\): ${text} \d+\.\d s\n`),
        );
        await client.ended();
        expect(server.log).not.toContain("secret");
      };
      await Promise.all(rows.map(hang));
    },
    limitMs,
  );
});

test(
  "a worker that ends by itself names the request, and where Bun's report is",
  async () => {
    await using server = await busy(fetchApp, {});
    const had = (path: string) => String.raw`It had 1 request in flight: GET ${path} for \d+\.\d s`;
    const rows = [
      [
        "/crash",
        `was sent SIGSEGV! ${had("/crash")}. Bun's crash report, if it has made one, is on standard error\n`,
      ],
      ["/exit", `exited with code 7. ${had("/exit")}\n`],
    ] as const;
    for (const [path, text] of rows) {
      using client = await begin(server.port, path);
      await server.logged(new RegExp(String.raw`Worker \(pid:\d+\) ${text}`));
      await client.ended();
    }
    expect(server.log).toContain("Bun has crashed");
  },
  limitMs,
);

test(
  "a worker that is killed after graceful_timeout names the newest request",
  async () => {
    await using server = await gunicorn({
      files: { "app.ts": fetchApp },
      args: ["--timeout", "0", "--graceful-timeout", "1", "--control-socket", "app.ctl"],
    });
    using hanging = await begin(server.port, "/hang");
    const requests = async () => {
      const { workers } = await ctlData(server, "show requests");
      const [worker] = workers as readonly Record<string, unknown>[];
      return worker ?? {};
    };
    const newest = (path: string) =>
      until(`the request ${path}`, async () => {
        const worker = await requests();
        const request = worker["newest_request"] as { readonly path: string } | null;
        return request?.path === path ? worker : null;
      });
    expect(await newest("/hang")).toMatchObject({
      in_flight: 1,
      activity: expect.any(String),
      newest_request: { method: "GET", path: "/hang", age: expect.any(Number), answered: false },
    });
    await (await server.fetch("/quick?secret")).text();
    expect(await newest("/quick")).toMatchObject({
      in_flight: 1,
      newest_request: { answered: true },
    });
    using looping = await begin(server.port, "/loop");
    expect(await newest("/loop")).toMatchObject({ in_flight: 2 });
    server.kill("SIGTERM");
    await server.logged(
      /had not stopped after graceful_timeout, killed: computing, 2 requests in flight: the newest GET \/loop for \d+\.\d s\n/,
    );
    await Promise.all([hanging.ended(), looping.ended()]);
    expect(await server.process.exited).toBe(0);
  },
  limitMs,
);
