/** Short last answers, behind which the server closes at once: clients get all of them, whenever they read. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dawdle } from "../support/dawdle.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";
import { sClient } from "../support/tls-client.ts";
import { get, get10, head, post, transports } from "../support/wire.ts";

setDefaultTimeout(120_000);

/** With its head below what is held back for FIN. */
const sizeBytes = 16_000;

const app = `
const text = "x".repeat(${sizeBytes});
const make = {
  "/now": () => new Response(text),
  "/later": async () => (await Bun.sleep(5), new Response(text)),
  "/bytes": () => new Response(Buffer.from(text)),
};
export default (request) => make[new URL(request.url).pathname]();
`;

const closes = "Connection: close";

/** How many connections the server holds, by proc_net_tcp(5): behind close() the kernel has them without an inode. */
function held({ port }: RunningServer): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const [, ...lines] = readFileSync("/proc/net/tcp", "latin1").trimEnd().split("\n");
  const sockets = lines.map((line) => line.trim().split(/\s+/));
  return sockets.filter(
    ([, address = "", , state, , , , , , inode]) =>
      address.endsWith(local) && state !== "0A" && inode !== "0",
  ).length;
}

/** A client that reads when the server has long done with it, or at once. */
async function asked(server: RunningServer, request: string, waitsMs: number): Promise<string> {
  using client = await RawClient.connect(server);
  if (waitsMs > 0) client.pause();
  client.send(request);
  await dawdle(waitsMs);
  client.resume();
  const { body } = await client.answer(request.startsWith("HEAD") ? "HEAD" : "GET");
  return `${body.length}, ${await client.ended()}`;
}

describe.each(transports)("over %s", (transport) => {
  const secure = transport === "TLS";

  test.each<[claim: string, request: string, size: number]>([
    ["Connection: close", get("/now", closes), sizeBytes],
    ["an answer that comes later", get("/later", closes), sizeBytes],
    ["bytes", get("/bytes", closes), sizeBytes],
    ["HTTP/1.0", get10("/now"), sizeBytes],
    ["HEAD", head("/now", closes), 0],
    ["a body", post("/now", "abc", closes), sizeBytes],
    ["bytes behind the request", `${get("/now", closes)}more`, sizeBytes],
  ])("all of it comes, and FIN: %s", async (_claim, request, size) => {
    await using server = await gunicorn({ files: { "app.ts": app }, secure });
    const waits = Array.from({ length: 60 }, (_, index) => (index % 3) * 25);
    const seen = await Promise.all(waits.map((waitsMs) => asked(server, request, waitsMs)));
    expect([...new Set(seen)]).toEqual([`${size}, fin`]);
    await until("all to be closed", () => held(server) === 0);
  });

  test("a client that stays isn't waited for", async () => {
    const args = ["--log-level", "debug"];
    await using server = await gunicorn({ files: { "app.ts": app }, secure, args });
    using client = await RawClient.connect(server);
    await client.ask(get("/now", closes));
    await until("the server to close", () => held(server) === 0);
    // It says so when it has waited in vain for a client's FIN.
    expect(server.log).not.toContain("lingering close");
    expect(client.closed).toBe(false);
    expect(await client.ended()).toBe("fin");
  });

  test("a worker that leaves right behind its answers has lost none", async () => {
    await using server = await gunicorn({ files: { "app.ts": app }, secure });
    const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(server)));
    for (const client of clients) {
      client.pause();
      client.send(get("/later", closes));
    }
    await until("the first answers", () => held(server) < clients.length);
    server.kill("SIGTERM");
    expect(await server.process.exited).toBe(0);
    for (const client of clients) {
      using reading = client;
      reading.resume();
      expect((await reading.answer()).body).toHaveLength(sizeBytes);
      expect(await reading.ended()).toBe("fin");
    }
  });
});

test.each(["-tls1_2", "-tls1_3"])("openssl sees close_notify behind it: %s", async (version) => {
  const files = { "app.ts": `export default () => new Response("hello");` };
  await using server = await gunicorn({ files, secure: true });
  for (let round = 0; round < 5; round++) {
    const text = await sClient(server.port, version, "-msg");
    expect(text).toContain("hello");
    expect(text).toMatch(/^<<< TLS 1\.[23], Alert \[length 0002\], warning close_notify$/m);
  }
});
