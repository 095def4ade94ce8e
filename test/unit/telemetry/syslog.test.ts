import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSyslog, type SyslogSettings } from "../../../src/telemetry/syslog.ts";
import { receiver } from "../../support/notify-receiver.ts";
import { until } from "../../support/server.ts";

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-syslog-"));
afterAll(() => rmSync(folder, { recursive: true }));

const settings: Omit<SyslogSettings, "syslogAddr"> = {
  syslogFacility: "local3",
  syslogPrefix: null,
  procName: null,
  defaultProcName: "app:fetch",
};

function open(syslogAddr: string, more: Partial<SyslogSettings> = {}) {
  return openSyslog({ ...settings, syslogAddr, ...more }, "error");
}

const stack = "Exception\n    at app.ts:1\n    at ö.ts:2";
const head = `<155>gunicorn.app.fetch.error: [${process.pid}] `;

async function udpEar(port = 0) {
  const got: string[] = [];
  const socket = { data: (_socket: unknown, data: Buffer) => void got.push(data.toString()) };
  const ear = await Bun.udpSocket({ hostname: "127.0.0.1", port, socket });
  return { ear, got, port: ear.port };
}

/** Takes connections, each with what it has received. */
function streamEar(where: { unix: string } | { hostname: string; port: number }, deaf = false) {
  const connections: { text: string; socket: Bun.Socket }[] = [];
  const socket = {
    open(socket: Bun.Socket) {
      connections.push({ text: "", socket });
      if (deaf) socket.pause();
    },
    data(socket: Bun.Socket, data: Buffer) {
      const connection = connections.find((each) => each.socket === socket);
      if (connection !== undefined) connection.text += data.toString("latin1");
    },
  };
  const server =
    "unix" in where ? Bun.listen({ ...where, socket }) : Bun.listen({ ...where, socket });
  return { server, connections, port: (server as { port?: number }).port ?? 0 };
}

const anyPort = { hostname: "127.0.0.1", port: 0 };

describe("names", () => {
  test.each([
    [{}, "gunicorn.app.fetch.error: "],
    [{ procName: "shop:web" }, "gunicorn.shop.web.error: "],
    [{ procName: "shop web\t1" }, "gunicorn.shop.web.1.error: "],
    [{ procName: "shop", syslogPrefix: "a:b" }, "gunicorn.a:b.error: "],
  ])("of %j", async (more, name) => {
    const { ear, got, port } = await udpEar();
    const syslog = open(`udp://127.0.0.1:${port}`, more);
    syslog.emit("info", "x");
    syslog.close();
    await until("the packet", () => got.length > 0);
    expect(got).toEqual([`<158>${name}[${process.pid}] x\0`]);
    ear.close();
  });
});

describe("over UDP", () => {
  test("each message is a datagram that ends with NUL, a stack in one piece", async () => {
    const { ear, got, port } = await udpEar();
    const syslog = open(`udp://localhost:${port}`);
    syslog.emit("error", stack);
    syslog.emit("error", "zwei");
    syslog.close();
    await until("both", () => got.length === 2);
    expect(got).toEqual([`${head}${stack}\0`, `${head}zwei\0`]);
    ear.close();
  });

  test("a message that is too long is cut between characters, and says so", async () => {
    const { ear, got, port } = await udpEar();
    const syslog = open(`udp://127.0.0.1:${port}`);
    syslog.emit("error", "ü".repeat(50_000));
    syslog.emit("error", "next");
    await until("both", () => got.length === 2);
    expect(got[0]).toMatch(/ü\.\.\.\0$/);
    expect(got[0]).not.toContain("\ufffd");
    expect(Buffer.byteLength(got[0] ?? "")).toBeGreaterThan(60_000);
    expect(got[1]).toBe(`${head}next\0`);
    syslog.close();
    ear.close();
  });

  test("RFC 5424 has neither NUL nor escapes", async () => {
    const { ear, got, port } = await udpEar();
    const syslog = open(`udp://127.0.0.1:${port}#rfc5424`);
    syslog.emit("warning", stack);
    await until("the packet", () => got.length > 0);
    expect(got[0]).toMatch(/^<156>1 \S+T\S+Z \S+ gunicorn\.app\.fetch \d+ error - Exception\n/);
    expect(got[0]).toEndWith("ö.ts:2");
    syslog.close();
    ear.close();
  });

  test("while nobody listens, nothing happens", async () => {
    const { ear, port } = await udpEar();
    ear.close();
    const syslog = open(`udp://127.0.0.1:${port}`);
    for (let count = 0; count < 10; count++) syslog.emit("info", "x");
    syslog.close();
  });

  test("a name that can't be looked up is told once", async () => {
    const told: string[] = [];
    const syslogAddr = "udp://no-such-host.invalid";
    const syslog = openSyslog(
      { ...settings, syslogAddr },
      "access",
      (text) => void told.push(text),
    );
    syslog.emit("info", "x");
    syslog.emit("info", "y");
    await until("the complaint", () => told.length > 0);
    syslog.flush();
    expect(told).toHaveLength(1);
    syslog.close();
  });
});

const streams = [
  ["TCP", anyPort, (port: number) => `tcp://127.0.0.1:${port}`],
  ["a unix stream", { unix: join(folder, "s") }, () => `unix://${join(folder, "s")}#stream`],
  ["a unix stream found out", { unix: join(folder, "t") }, () => `unix://${join(folder, "t")}`],
] as const;

describe.each(streams)("over %s", (_what, where, addressOf) => {
  test("messages end with a line feed, and those inside are #012", async () => {
    const { server, connections, port } = streamEar(where);
    const syslog = open(addressOf(port));
    syslog.emit("error", stack);
    syslog.emit("error", "zwei");
    const text = `${head}${stack.replaceAll("\n", "#012")}\n${head}zwei\n`;
    const got = () => Buffer.from(connections[0]?.text ?? "", "latin1").toString();
    await until("both", () => got() === text);
    syslog.close();
    server.stop(true);
  });

  test("RFC 5424 counts octets", async () => {
    const { server, connections, port } = streamEar(where);
    const syslog = open(
      addressOf(port).includes("#stream")
        ? `${addressOf(port)},rfc5424`
        : `${addressOf(port)}#rfc5424`,
    );
    syslog.emit("error", stack);
    const found = await until("the frame", () =>
      /^(\d+) (<155>1 .* error - Exception\n.*)$/s.exec(connections[0]?.text ?? ""),
    );
    expect(found[2]).toHaveLength(Number(found[1]));
    syslog.close();
    server.stop(true);
  });

  test("what waits while nobody listens arrives in its order, whole, on one connection", async () => {
    const first = streamEar(where);
    const syslog = open(addressOf(first.port));
    syslog.emit("info", "one");
    await until("the first", () => first.connections[0]?.text.endsWith("one\n"));
    for (const { socket } of first.connections) socket.terminate();
    first.server.stop(true);
    const waiting = Array.from({ length: 100 }, (_, index) => `waited ${index}`);
    for (const message of waiting) syslog.emit("info", message);
    const again = "unix" in where ? where : { ...where, port: first.port };
    const second = streamEar(again);
    await until("the rest", () => second.connections[0]?.text.endsWith("waited 99\n"));
    const lines = second.connections[0]?.text.trimEnd().split("\n") ?? [];
    // A packet that the dead connection took without an error is lost with it: that there was none is the kernel's word.
    expect(lines.map((line) => line.replace(/^.*\] /, ""))).toEqual(waiting);
    expect(second.connections).toHaveLength(1);
    syslog.close();
    second.server.stop(true);
  });
});

test("what had left in part when a connection ended is sent anew as a whole", async () => {
  const first = streamEar(anyPort, true);
  const syslog = open(`tcp://127.0.0.1:${first.port}`);
  const message = (index: number) => `${index} ${"x".repeat(100_000)}`;
  // More than the sockets of both sides hold, so that one is cut somewhere.
  for (let index = 0; index < 100; index++) syslog.emit("info", message(index));
  await until("the connection", () => first.connections.length > 0);
  first.connections[0]?.socket.terminate();
  first.server.stop(true);
  const second = streamEar({ ...anyPort, port: first.port });
  await until("what waited", () =>
    / messages of this log are lost/.test(second.connections[0]?.text ?? ""),
  );
  const lines = second.connections[0]?.text.split("\n").slice(0, -2) ?? [];
  expect(lines.length).toBeGreaterThan(5);
  const whole = /^<158>gunicorn\.app\.fetch\.error: \[\d+\] \d+ x{100000}$/;
  expect(lines.filter((line) => !whole.test(line))).toEqual([]);
  syslog.close();
  second.server.stop(true);
});

test.each([
  ["127.0.0.1", "::1"],
  ["::1", "127.0.0.1"],
])("localhost is who listens there, %s, and still is after an end; not %s", async (hostname) => {
  const first = streamEar({ hostname, port: 0 });
  const syslog = open(`tcp://localhost:${first.port}`);
  syslog.emit("info", "one");
  await until("the first", () => first.connections[0]?.text.endsWith("one\n"));
  first.connections[0]?.socket.terminate();
  await until("the end", () => {
    syslog.emit("info", "two");
    return first.connections[1]?.text.endsWith("two\n");
  });
  expect(first.connections).toHaveLength(2);
  syslog.close();
  first.server.stop(true);
});

test("a receiver that reads nothing costs no more than a mebibyte, and what is lost is counted", async () => {
  const { server, connections, port } = streamEar(anyPort, true);
  const syslog = open(`tcp://127.0.0.1:${port}`);
  const count = 40_000;
  for (let index = 0; index < count; index++) syslog.emit("info", `${index} ${"x".repeat(500)}`);
  await until("the connection", () => connections.length > 0);
  connections[0]?.socket.resume();
  const got = () => connections[0]?.text.split("\n") ?? [];
  const notice = / (\d+) messages of this log are lost: syslog didn't take them$/;
  const lost = await until("the notice", () =>
    got()
      .map((line) => notice.exec(line)?.[1])
      .find(Boolean),
  );
  const lines = got().filter((line) => line.endsWith("xxx"));
  expect(lines.length + Number(lost)).toBe(count);
  // Nothing torn, nothing out of order.
  const numbers = lines.map((line) => Number(/^<158>\S+ \[\d+\] (\d+) x{500}$/.exec(line)?.[1]));
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(numbers[0]).toBe(0);
  syslog.close();
  server.stop(true);
});

test("datagrams of a unix socket: a receiver that comes late, or again, gets what waited", async () => {
  const path = join(folder, "dgram");
  const syslog = open(`unix://${path}`);
  syslog.emit("info", "early\n");
  {
    await using ear = await receiver(path);
    await ear.heard(/early\n\0/);
    syslog.emit("info", "in time\n");
    await ear.heard(/in time\n\0/);
  }
  rmSync(path);
  syslog.emit("info", "between\n");
  await using ear = await receiver(path);
  await ear.heard(/between\n\0/);
  syslog.close();
});

test("a path that is a socket of the kind that the address excludes isn't used", async () => {
  const path = join(folder, "only-stream");
  const { server, connections } = streamEar({ unix: path });
  const syslog = open(`unix://${path}#dgram`);
  syslog.emit("info", "x");
  syslog.close();
  expect(connections).toHaveLength(0);
  server.stop(true);
});
