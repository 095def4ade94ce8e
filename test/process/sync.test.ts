/** Worker class sync, and the bound that threads is on both classes of the engine. */
import { describe, expect, test } from "bun:test";
import { field, RawClient } from "../support/raw-client.ts";
import { gunicorn, start, until } from "../support/server.ts";

/** Requests of /crowd wait until CROWD are in the app, and all stay for a moment; the answer says how many there were at most. */
const app = `let inside = 0;
let most = 0;
export const fetch = async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/hang") return new Promise(() => {});
  inside += 1;
  most = Math.max(most, inside);
  while (pathname === "/crowd" && most < Number(process.env.CROWD)) await Bun.sleep(1);
  await Bun.sleep(20); // others may come
  inside -= 1;
  return new Response(String(most));
};
`;

const rows: readonly (readonly [args: readonly string[], most: number, header: string | null])[] = [
  [["-k", "sync"], 1, "close"],
  [["-k", "sync", "--threads", "3"], 3, "close"],
  [["-k", "gthread", "--threads", "2"], 2, "close"],
  [["-k", "async", "--threads", "2"], 2, null],
  [["-k", "async"], 8, null],
];

test.each(rows)("%j: the app has at most %d requests at a time", async (args, most, header) => {
  const env = { CROWD: String(most) };
  await using server = await gunicorn({ files: { "app.ts": app }, args, env });
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => fetch(`${server.url}/crowd`, { keepalive: false })),
  );
  const bodies = await Promise.all(answers.map((answer) => answer.text()));
  expect(Math.max(...bodies.map(Number))).toBe(most);
  expect(await connectionField(server.port)).toBe(header);
  expect(await server.stop()).toBe(0);
});

async function connectionField(port: number): Promise<string | null> {
  using client = await RawClient.connect(port);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  return field(await client.answer("GET"), "connection");
}

describe.each([["sync"], ["async"]])("-k %s --threads 1", (kind) => {
  const args = ["-k", kind, "--threads", "1"];

  test("a client that is slow to send keeps nobody waiting", async () => {
    await using server = await gunicorn({ files: { "app.ts": app }, args });
    {
      using slow = await RawClient.connect(server.port);
      slow.send("GET / HTTP/1.1\r\nHo");
      expect(await (await fetch(server.url)).text()).toBe("1");
      slow.send("st: x\r\n\r\n");
      expect((await slow.answer("GET")).status).toBe(200);
    }
    expect(await server.stop()).toBe(0);
  });

  test("a worker whose app doesn't come back is replaced after timeout, and the successor answers", async () => {
    await using server = await gunicorn({
      files: { "app.ts": app },
      // A machine that others load may keep a worker from its heartbeat for a second.
      args: [...args, "--timeout", "3"],
    });
    const hanging = fetch(new URL("/hang", server.url)).then(
      () => "answered",
      () => "cut",
    );
    await server.logged(/WORKER TIMEOUT/);
    expect(await hanging).toBe("cut");
    await until("a successor", () => (server.log.match(/Booting worker/g)?.length ?? 0) >= 2);
    await server.settled(1);
    expect(await (await fetch(server.url)).text()).toBe("1");
    expect(await server.stop()).toBe(0);
  }, 120_000);
});

test("the log says sync, also for gthread", async () => {
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["-k", "gthread"] });
  expect(server.log).toContain("Using worker: sync");
  expect(await server.stop()).toBe(0);
});

test.each([
  [["-k", "sync", "--keep-alive", "5"], "each connection ends with its answer"],
  [["-k", "serve", "--threads", "5"], "Bun.serve takes all requests that come"],
])("%j is refused: %s", async (args, why) => {
  await using server = start({ files: { "app.ts": app }, args });
  expect(await server.process.exited).toBe(1);
  expect(server.log).toContain(why);
});
