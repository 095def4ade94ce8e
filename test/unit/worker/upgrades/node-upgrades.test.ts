/** Requests that leave HTTP for the unix socket of a node:http server, which is a real one here. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { type NodeUpgrades, upgradesOf } from "../../../../src/app/node/upgrades.ts";
import { listenPrivately } from "../../../../src/os/sockets/private-socket.ts";
import { ListenerUpgrades } from "../../../../src/worker/upgrades/node-upgrades.ts";
import { FakeEngine, statuses } from "../../../support/fake-engine.ts";
import type { FakeWire } from "../../../support/fake-wire.ts";
import { until } from "../../../support/server.ts";

const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n";
const asked =
  "GET /a?b HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\nX-A: \xe9\r\n\r\n";

/** What has come to the listeners. */
let received = "";
let sockets = 0;
/** Requests that the listeners are to answer yet. */
let unanswered = 0;
const inner = listenPrivately((unix) =>
  Bun.listen({
    unix,
    socket: {
      open: () => void (sockets += 1),
      close: () => void (sockets -= 1),
      data(socket, bytes) {
        const first = received === "";
        received += bytes.toString("latin1");
        socket.write(first ? switching : bytes);
      },
    },
  }),
);
afterAll(() => inner.listening.stop(true));
beforeEach(async () => {
  await until("the sockets of the test before have closed", () => sockets === 0);
  received = "";
  unanswered = 0;
});

function start({ wanted = true, path = inner.path, threads = 0 } = {}): {
  readonly engine: FakeEngine;
  readonly wire: FakeWire;
} {
  const { admit } = upgradesOf({}, path);
  const node: NodeUpgrades = {
    path,
    isWanted: () => wanted,
    admit: (head, sentBy) => {
      const { over, ...admitted } = admit(head, sentBy);
      unanswered += 1;
      return { ...admitted, over: () => (over(), void (unanswered -= 1)) };
    },
  };
  const engine = new FakeEngine(undefined, {
    config: { threads },
    upgrades: (tunnels) => new ListenerUpgrades(tunnels, node),
  });
  return { engine, wire: engine.connect() };
}

test("the listeners get the request as it was sent, and all that follows; the client what they answer", async () => {
  const { engine, wire } = start();
  wire.send(`${asked}early`);
  await until("the answer", () => wire.text.includes("101"));
  const [line, ...fields] = received.split("\r\n");
  expect(line).toBe("GET /a?b HTTP/1.1");
  expect(fields).toContain("X-A: \xe9");
  expect(fields.filter((field) => field.startsWith("x-client-"))).toHaveLength(1);
  expect(unanswered).toBe(0);
  await until("what came early", () => received.endsWith("early"));
  expect([engine.events, engine.told]).toEqual([[], ["GET /a?b 101 0"]]);
  wire.take();
  wire.send("more");
  await until("the echo", () => wire.text.endsWith("more"));
  wire.reset();
  expect([engine.connections, engine.inFlight]).toEqual([0, 0]);
});

const others: [claim: string, sent: string, wanted: boolean][] = [
  ["that asks for nothing", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true],
  ["that nobody listens for", asked, false],
  [
    "with a body",
    "POST / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\nContent-Length: 1\r\n\r\nb",
    true,
  ],
  [
    "whose Upgrade isn't for this hop",
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: close\r\n\r\n",
    true,
  ],
];
test.each(others)("a request %s goes to the app", async (_claim, sent, wanted) => {
  const { engine, wire } = start({ wanted });
  wire.send(sent);
  await engine.settle();
  expect([statuses(wire.text), engine.events.length, received]).toEqual([[200], 1, ""]);
});

test("a client whom the listeners can't be reached for gets 503, and the log is told", async () => {
  const { engine, wire } = start({ path: "/nowhere/at/all" });
  wire.send(asked);
  await until("an answer", () => wire.text !== "");
  expect(statuses(wire.text)).toEqual([503]);
  expect(unanswered).toBe(0);
  expect(engine.lines).toEqual([
    expect.stringMatching(/^error: Can't open a connection inside of this worker: /),
  ]);
});

test("a client that leaves at once takes nobody with it", async () => {
  const { engine, wire } = start();
  wire.send(asked);
  wire.reset();
  await until("its socket has gone", () => sockets === 0 && engine.connections === 0);
  expect([engine.inFlight, unanswered, engine.lines]).toEqual([0, 0, []]);
  const other = engine.connect();
  other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(statuses(other.text)).toEqual([200]);
});
