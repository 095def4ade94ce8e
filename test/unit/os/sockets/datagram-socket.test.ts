import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatagramSocket } from "../../../../src/os/sockets/datagram-socket.ts";
import { encodeName, encodeTcp, encodeUnix } from "../../../../src/os/sockets/socket-address.ts";
import { receiver } from "../../../support/notify-receiver.ts";
import { until } from "../../../support/server.ts";

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-datagram-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

test.each([
  [4, "127.0.0.1"],
  [6, "::1"],
] as const)(
  "sends by UDP over IPv%d, an empty datagram counted as sent",
  async (family, hostname) => {
    const got: string[] = [];
    const ear = await Bun.udpSocket({
      hostname,
      socket: { data: (_socket, data) => void got.push(data.toString()) },
    });
    using socket = new DatagramSocket(encodeTcp(family, hostname, ear.port));
    expect(socket.send(bytes("one"))).toBeNull();
    expect(socket.send(bytes(""))).toBeNull();
    expect(socket.send(bytes("zwölf"))).toBeNull();
    await until("both datagrams", () => got.length === 2);
    expect(got).toEqual(["one", "zwölf"]);
    ear.close();
  },
);

test.each([
  ["a path", join(folder, "ear")],
  ["an abstract name", `@gunicorn-ts-datagram-${process.pid}`],
])("sends to %s, and again to who has taken its place", async (_what, address) => {
  const name = { type: "unix", path: address.replace(/^@/, "\0") } as const;
  using socket = new DatagramSocket(encodeName(name));
  expect(socket.send(bytes("nobody"))?.code).toMatch(/^(ENOENT|ECONNREFUSED)$/);
  for (const round of ["first", "second"]) {
    await using ear = await receiver(address);
    expect(socket.send(bytes(`${round}\n`))).toBeNull();
    await ear.heard(new RegExp(`^${round}\n$`));
    rmSync(address, { force: true });
  }
});

test("a closed UDP port is no error, however often", async () => {
  const ear = await Bun.udpSocket({ hostname: "127.0.0.1" });
  const { port } = ear;
  ear.close();
  using socket = new DatagramSocket(encodeTcp(4, "127.0.0.1", port));
  for (let round = 0; round < 10; round++) expect(socket.send(bytes("x"))).toBeNull();
});

test("answers with the error when a datagram is too long, or the path is another kind of socket", () => {
  using socket = new DatagramSocket(encodeTcp(4, "127.0.0.1", 9));
  expect(socket.send(new Uint8Array(70_000))?.code).toBe("EMSGSIZE");
  const path = join(folder, "stream");
  const server = Bun.listen({ unix: path, socket: { data() {} } });
  using unix = new DatagramSocket(encodeUnix(path));
  expect(unix.send(bytes("x"))?.code).toBe("EPROTOTYPE");
  server.stop(true);
});

test("never waits for a receiver that reads nothing, and says so", async () => {
  const path = join(folder, "deaf");
  await using ear = await receiver(path);
  ear.kill("SIGSTOP");
  using socket = new DatagramSocket(encodeUnix(path));
  const answers = Array.from({ length: 5000 }, () => socket.send(bytes("x"))?.code ?? "sent");
  expect([...new Set(answers)]).toEqual(["sent", "EAGAIN"]);
  ear.kill("SIGCONT");
  await until("room again", () => socket.send(bytes("y")) === null);
});

test.if(process.platform === "linux")("leaves no descriptor behind", () => {
  const all = () => readdirSync("/proc/self/fd");
  // Others may be closed meanwhile: what another test has left to the garbage collector.
  const before = new Set(all());
  new DatagramSocket(encodeUnix("/nowhere"))[Symbol.dispose]();
  expect(all().filter((fd) => !before.has(fd))).toEqual([]);
});
