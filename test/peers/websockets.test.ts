/** Python's websockets, a client that is strict about RFC 6455 and offers compression unasked; and nginx between. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeWith, nginx } from "../support/peers.ts";
import { gunicorn } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";

/** Debian's own has the package, another one in PATH may not. */
const python = ["/usr/bin/python3", "python3"].find((command) => {
  if (Bun.which(command) === null) return false;
  return Bun.spawnSync([command, "-c", "import websockets"]).exitCode === 0;
});

const script = `
import asyncio, json, sys, websockets

url = sys.argv[1]
found = {}

async def echo(name, path, message, **options):
    async with websockets.connect(url + path, max_size=None, **options) as socket:
        await socket.send(message)
        answer = await socket.recv()
        whole = "".join(message) if isinstance(message, list) else message
        found[name] = answer == whole
        found[name + " compressed"] = any(type(each).__name__ == "PerMessageDeflate" for each in socket.extensions)

async def main():
    await echo("text", "/plain", "h\\u00e9llo")
    await echo("binary", "/plain", bytes(range(256)))
    await echo("a mebibyte", "/compressed", "0123456789abcdef" * 65536)
    await echo("a mebibyte, plain", "/plain", b"0123456789abcdef" * 65536, compression=None)
    await echo("fragments", "/plain", ["a", "b" * 70000, "c"])
    async with websockets.connect(url + "/chosen", subprotocols=["first", "second"]) as socket:
        found["subprotocol"] = socket.subprotocol
        pong = await socket.ping()
        await asyncio.wait_for(pong, 10)
        await socket.send("bye")
        try:
            await socket.recv()
        except websockets.ConnectionClosed as closed:
            found["closed"] = [closed.code, closed.reason]
    async with websockets.connect(url + "/plain") as socket:
        await socket.close(4003, "mine")
        found["own close"] = socket.close_code
    sockets = await asyncio.gather(*[websockets.connect(url + "/plain") for _ in range(50)])
    async def talk(socket, number):
        for count in range(20):
            await socket.send(f"{number} {count}")
            if await socket.recv() != f"{number} {count}": return False
        await socket.close()
        return True
    found["fifty at a time"] = all(await asyncio.gather(*[talk(s, n) for n, s in enumerate(sockets)]))
    print(json.dumps(found))

asyncio.run(main())
`;

const app = readFileSync(join(import.meta.dir, "../fixtures/wire/websocket.ts"), "utf8");
const name = "python's websockets";

function body(): void {
  test.each([["async"], ["serve"]])(
    "with -k %s",
    async (kind) => {
      await using server = await gunicorn({ files: { "app.ts": app }, args: ["-k", kind] });
      const url = server.url.replace("http", "ws").replace(/\/$/, "");
      const client = Bun.spawn([String(python), "-c", script, url], { stderr: "pipe" });
      const [output, notes] = await Promise.all([client.stdout.text(), client.stderr.text()]);
      expect([await client.exited, notes]).toEqual([0, ""]);
      expect(JSON.parse(output)).toEqual({
        text: true,
        "text compressed": true,
        binary: true,
        "binary compressed": true,
        "a mebibyte": true,
        "a mebibyte compressed": true,
        "a mebibyte, plain": true,
        "a mebibyte, plain compressed": false,
        fragments: true,
        "fragments compressed": true,
        subprotocol: "second",
        closed: [4001, "as you say"],
        "own close": 4003,
        "fifty at a time": true,
      });
      expect(await server.stop()).toBe(0);
    },
    120_000,
  );
}

if (python === undefined) describe.skip(`${name} (not installed here: python3-websockets)`, body);
else describe(name, body);

describeWith(["nginx"], "nginx in front of websockets", () => {
  test("passes them on both ways, and the worker's 1001", async () => {
    await using server = await gunicorn({ files: { "app.ts": app }, args: ["-w", "2"] });
    const lines = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;";
    await using proxy = await nginx(server.port, lines);
    const clients = Array.from(
      { length: 20 },
      () => new Client(`http://127.0.0.1:${proxy.port}/greets`),
    );
    for (const client of clients) await client.hears("welcome");
    const long = "x".repeat(1_000_000);
    for (const client of clients) client.send(long);
    for (const client of clients) await client.hears(long);
    server.kill("SIGHUP");
    const codes = await Promise.all(clients.map(({ closed }) => closed));
    expect(new Set(codes)).toEqual(new Set([1001]));
    const late = new Client(`http://127.0.0.1:${proxy.port}/greets`);
    await late.hears("welcome");
    expect(await server.stop()).toBe(0);
  }, 120_000);
});
