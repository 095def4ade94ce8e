/** Clients that leave at any moment of a handshake or behind it: nothing of theirs stays in the worker. */
import { describe, expect, test } from "bun:test";
import { frame, handshake } from "../support/frames.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, until } from "../support/server.ts";
import { classes } from "../support/websockets.ts";
import { namesIn } from "../../bench/process-tree.ts";

const app = `const held = [];
let asked = 0;
export default {
  async fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/asked") return new Response(String(asked));
    if (request.headers.has("upgrade")) asked += 1;
    if (pathname === "/never") await new Promise((resolve) => held.push(resolve));
    if (pathname === "/later") while (!(await Bun.file("go").exists())) await Bun.sleep(5);
    if (server.upgrade(request)) return;
    return new Response("no websocket");
  },
  websocket: { message() {} },
};`;

const count = 20;

type Moment = readonly [claim: string, path: string, sent: Buffer | null];

/** What was sent behind the answer; null: the client leaves before there is one. */
const moments: Moment[] = [
  ["while the app never answers", "/never", null],
  ["while the app waits to upgrade", "/later", null],
  ["right behind 101", "/", Buffer.alloc(0)],
  ["in a frame", "/", frame("text", "x".repeat(1000)).subarray(0, 500)],
];

const ways: readonly (readonly [claim: string, leave: (client: RawClient) => void])[] = [
  ["by FIN", (client) => client[Symbol.dispose]()],
  ["by a reset", (client) => client.reset()],
];

const rows = moments.flatMap(([claim, path, sent]) =>
  ways.map(([how, leave]) => [claim, how, { path, sent, leave }] as const),
);

describe.each(classes)("on %s", (workerClass) => {
  test.each(rows)(
    "clients that leave %s, %s, leave nothing behind",
    async (_claim, _how, { path, sent, leave }) => {
      // A client that only stops sending gets its answer until keepalive is over.
      const keepalive = workerClass === "async" ? ["--keep-alive", "1"] : [];
      const args = ["-k", workerClass, "--graceful-timeout", "1", ...keepalive];
      await using server = await gunicorn({ files: { "app.ts": app }, args });
      const [worker = 0] = await server.settled(1);
      const asked = async () =>
        Number(await (await fetch(`${server.url}/asked`, { keepalive: false })).text());
      const descriptors = () => namesIn(`/proc/${worker}/fd`).length;
      await asked();
      const before = descriptors();
      const clients = await Promise.all(
        Array.from({ length: count }, () => RawClient.connect(server.port)),
      );
      for (const client of clients) client.send(handshake(path));
      if (sent !== null) await Promise.all(clients.map((client) => client.answer()));
      await until("all to be asked", async () => (await asked()) === count);
      for (const client of clients) {
        if (sent !== null) client.send(sent);
        leave(client);
      }
      await until("descriptors to be closed", () => descriptors() <= before);
      // An app that goes on has nobody to answer.
      await Bun.write(`${server.folder}/go`, "");
      expect(await asked()).toBe(count);
      expect(server.log).not.toContain("ERROR");
      expect(await server.stop()).toBe(0);
    },
    120_000,
  );
});
