/** Open websockets and requests while workers are replaced, and at the end. */
import { expect, test } from "bun:test";
import { Load } from "../support/loads/load.ts";
import { handshake } from "../support/frames.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";

const app = `export default {
  fetch(request, server) {
    if (server.upgrade(request)) return;
    const { pathname } = new URL(request.url);
    if (pathname !== "/") server.publish("room", "said " + pathname.slice(1));
    return new Response("hello");
  },
  websocket: {
    open(socket) { socket.subscribe("room"); socket.send("pid " + process.pid); },
    message(socket, message) { socket.send(message); },
  },
};`;

const count = 200;

/** The worker that serves it. */
function pidOf({ heard }: Client): number {
  return Number(heard[0]?.slice(4));
}

test("HUP under load sends 200 websockets away with 1001, loses no request, and publish reaches old and new", async () => {
  // The old workers stay until the new ones have answered some requests.
  const args = ["-w", "2", "--keep-alive", "1", "--warmup-requests", "200"];
  await using server = await gunicorn({ files: { "app.ts": app }, args });
  await server.settled(2);
  const clients = Array.from({ length: count }, () => new Client(server.url));
  await until("all to be open", () => clients.every(({ heard }) => heard.length === 1), 60_000);
  const load = new Load({ port: server.port, fresh: 4, kept: 4, posting: 1, expected: "hello" });
  await until("load", () => load.requests > 200);
  const old = new Set(server.workers());
  server.kill("SIGHUP");
  const newer: Client[] = [];
  const reached = async (): Promise<boolean> => {
    await fetch(`${server.url}/${newer.length}`, { keepalive: false });
    const heard = newer.map((_client, number) =>
      [...clients, ...newer].filter((each) => each.heard.includes(`said ${number}`)).map(pidOf),
    );
    newer.push(new Client(server.url));
    return heard.some((pids) => {
      return pids.some((pid) => old.has(pid)) && pids.some((pid) => !old.has(pid));
    });
  };
  await until("a message to reach clients of old and of new workers", reached, 60_000);
  const codes = await Promise.all(clients.map(({ closed }) => closed));
  expect(codes).toEqual(Array.from({ length: count }, () => 1001));
  await until("new workers only", () => {
    const now = server.workers();
    return now.length === 2 && now.every((pid) => !old.has(pid));
  });
  // A new client is served by a new worker.
  const late = new Client(server.url);
  await until("a welcome", () => late.heard.length === 1);
  expect(old.has(pidOf(late))).toBe(false);
  const all = [...clients, ...newer].map(({ heard }) => heard);
  expect(all.filter((heard) => new Set(heard).size !== heard.length)).toEqual([]);
  const { failures, requests } = await load.stop();
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(200);
  expect(server.log).not.toMatch(/cut after|ERROR|CRITICAL/);
  const stopped = server.stop();
  expect(await late.closed).toBe(1001);
  expect(await stopped).toBe(0);
}, 120_000);

test("clients that come back in one instant are all served, also more than a queue holds", async () => {
  await using server = await gunicorn({ files: { "app.ts": app } });
  const [worker = 0] = await server.settled(1);
  const clients = await Promise.all(
    Array.from({ length: 800 }, () => RawClient.connect(server.port)),
  );
  process.kill(worker, "SIGSTOP");
  for (const client of clients) client.send(handshake("/"));
  await Promise.all(clients.map((client) => client.sent()));
  process.kill(worker, "SIGCONT");
  const answers = await Promise.all(clients.map((client) => client.answer()));
  expect(answers.filter(({ status }) => status !== 101)).toEqual([]);
  for (const client of clients) client[Symbol.dispose]();
}, 120_000);
