import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  Abuser,
  allCut,
  appState,
  calmServer,
  crowd,
  endure,
  FigureTable,
  inTurns,
  logCount,
  outcomes,
} from "../support/abuse.ts";
import { openSockets, Watch } from "../support/memory.ts";
import { until } from "../support/server.ts";
import { standstill } from "../support/standstill.ts";
import { get, post, requestText } from "../support/wire.ts";

setDefaultTimeout(120_000);
const table = new FigureTable();
afterAll(() => table.print("a flood of connections"));

const debug = ["--log-level", "debug"];

test("2,000 idle connections are closed by keepalive", async () => {
  await using server = await calmServer(
    "--keep-alive",
    "1",
    "--worker-connections",
    "3000",
    ...debug,
  );
  await endure({ server, abuse: "2,000 idle connections", table, served: 20 }, async () => {
    const abusers = await crowd(server.port, 2000, (abuser) => abuser.send(get("/")));
    await allCut(abusers);
    expect(outcomes(abusers)).toEqual({ 200: 2000 });
    for (const { cutMs, cutMachineMs } of abusers) {
      expect(cutMs).toBeGreaterThan(950);
      expect(cutMachineMs).toBeLessThan(6000);
    }
    return abusers;
  });
  expect(logCount(server, "Closing ip=127.0.0.1: keepalive")).toBeGreaterThanOrEqual(2000);
});

test("5,000 connections that come and go never fill more than worker_connections", async () => {
  await using server = await calmServer("--worker-connections", "100");
  const [pid = 0] = server.workers();
  const idle = await standstill(() => openSockets(pid));
  await endure({ server, abuse: "5,000 come and go", table, served: 20 }, async (served) => {
    using sockets = new Watch(() => openSockets(pid), 2);
    // On a busy machine the first 5,000 may be over before the good clients have had their turn.
    do {
      await inTurns(5000, async () => {
        const abuser = await Abuser.connect(server.port);
        abuser.close();
      });
    } while (served() < 200);
    // At the bound the worker closes its listening socket.
    expect(sockets.highest - idle).toBeLessThanOrEqual(100);
    return [];
  });
  await until("all connections to be closed", () => openSockets(pid) === idle);
});

test("150 silent connections wait in the queue, 100 at a time in the worker", async () => {
  await using server = await calmServer(
    "--worker-connections",
    "100",
    "--header-timeout",
    "1",
    ...debug,
  );
  const [pid = 0] = server.workers();
  const idle = await standstill(() => openSockets(pid));
  await endure({ server, abuse: "150 silent, 100 at a time", table, served: 20 }, async () => {
    using sockets = new Watch(() => openSockets(pid), 2);
    const abusers = await crowd(server.port, 150);
    await allCut(abusers);
    expect(outcomes(abusers)).toEqual({ fin: 150 });
    expect(sockets.highest - idle).toBeLessThanOrEqual(100);
    expect(sockets.highest - idle).toBeGreaterThan(90);
    return abusers;
  });
  expect(logCount(server, "Closing ip=127.0.0.1: header_timeout")).toBe(150);
  await until("all connections to be closed", () => openSockets(pid) === idle);
});

/** Where a connection is when its client leaves: what it has sent, and what must have come back first. */
const states: readonly [sent: string, seen: string][] = [
  ["", ""],
  ["GET / HTTP/1.1\r\nHost: te", ""],
  [`${requestText("POST", "/text", ["Content-Length: 100"])}start`, ""],
  [`${requestText("POST", "/chunks", ["Transfer-Encoding: chunked"])}9\r\nstart`, ""],
  [get("/wait"), ""],
  [get("/stream"), "200 OK"],
  [get("/"), "200 OK"],
];

async function leave(port: number, count: number, how: "reset" | "halfClose"): Promise<Abuser[]> {
  const abusers: Abuser[] = [];
  await inTurns(count, async (number) => {
    const [text = "", seen = ""] = states[number % states.length] ?? [];
    // One who closes half-way reads all of it.
    const sent = how === "reset" ? text : text.replace("/stream", "/short-stream");
    const abuser = await Abuser.connect(port);
    abuser.send(sent);
    await until(seen, () => abuser.received.includes(seen));
    if (how === "reset") abuser.reset();
    else abuser.halfClose();
    abusers.push(abuser);
  });
  return abusers;
}

const count = states.length * 1000;

test(`${count} resets, 1,000 in each state, leave nothing behind`, async () => {
  await using server = await calmServer("--worker-connections", "3000");
  const [pid = 0] = server.workers();
  const idle = await standstill(() => openSockets(pid));
  // Until a reset is seen, a megabyte of /stream that its client hasn't taken is kept for it.
  const highestMb = 96;
  await endure({ server, abuse: `${count} resets`, table, served: 20, highestMb }, async () => {
    await leave(server.port, count, "reset");
    await fetch(`${server.url}/release`, { keepalive: false });
    await until("no app to wait", async () => (await appState(server)).waiting === 0);
    return [];
  });
  await until("all connections to be closed", () => openSockets(pid) === idle);
  expect(server.log).not.toContain("[ERROR]");
});

test("1,400 half-closes, 200 in each state, end each connection behind what it asked for", async () => {
  // On a loaded machine more than the usual time lies between the first half-close and the release.
  const patient = ["--asgi-disconnect-grace-period", "300"];
  await using server = await calmServer("--worker-connections", "3000", ...patient);
  const [pid = 0] = server.workers();
  const idle = await standstill(() => openSockets(pid));
  const halves = states.length * 200;
  await endure({ server, abuse: `${halves} half-closes`, table, served: 20 }, async () => {
    const abusers = await leave(server.port, halves, "halfClose");
    await until("the app to wait for 200", async () => (await appState(server)).waiting === 200);
    await fetch(`${server.url}/release`, { keepalive: false });
    await allCut(abusers);
    // Answered: what was under way, and what was over already.
    expect(outcomes(abusers)).toEqual({ fin: 800, 200: 600 });
    return abusers;
  });
  await until("all connections to be closed", () => openSockets(pid) === idle);
  expect(server.log).not.toContain("[ERROR]");
});

test("10,000 requests with a body that the app doesn't read", async () => {
  await using server = await calmServer("--worker-connections", "3000");
  await endure(
    { server, abuse: "10,000 unread bodies", table, served: 20, highestMb: 64 },
    async () => {
      // Of the first size the connection stays, of the second it doesn't.
      const small = post("/", "x".repeat(1000)).repeat(100);
      const large = post("/", "x".repeat(100_000));
      const kept = await crowd(server.port, 99, (abuser) => abuser.send(small));
      await until("9,900 answers", () => {
        return kept.every(({ answers }) => answers === 100);
      });
      const ended = await crowd(server.port, 100, (abuser) => abuser.send(large));
      await allCut(ended);
      expect(outcomes(ended)).toEqual({ 200: 100 });
      for (const abuser of kept) abuser.close();
      return ended;
    },
  );
});
