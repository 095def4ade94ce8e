/** Python's `websockets` as the client: its own frames, compression, pings and fragments. */
import { describe, expect, test } from "bun:test";
import { linesOf, nextOf } from "../support/lines.ts";
import { classes, serveApp } from "../support/websockets.ts";

/** Debian's package is the system's Python's, whatever another one on PATH has. */
const python = "/usr/bin/python3";

/** Prints a line of JSON when it has done all, and another one when the server has closed what is left. */
const client = `
import asyncio, json, sys
from websockets import connect, ConnectionClosed

async def member(url):
    socket = await connect(url, max_size=None)
    return socket, json.loads(await socket.recv())["pid"]

async def parts():
    for part in ("publish:", "in ", "parts"):
        yield part

async def end(socket):
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd and closed.rcvd.code

async def hear(members):
    heard = [await asyncio.wait_for(socket.recv(), 30) for socket, _ in members]
    return [list(each) if isinstance(each, bytes) else each for each in heard]

async def main(url):
    members = [await member(url)]
    while len({pid for _, pid in members}) < 2 or len(members) < 4:
        members.append(await member(url))
    (sender, _), others = members[0], members[1:]
    await sender.send("echo:" + "x" * 1000000)
    echoed = len(await sender.recv())
    await sender.send(parts())
    texts = await hear(others)
    await sender.send(b"\\x00\\xff")
    binaries = await hear(others)
    await (await sender.ping(b"are you there"))
    await others[-1][0].send("throw")
    thrown = await end(others[-1][0])
    print(json.dumps({"echoed": echoed, "texts": texts, "binaries": binaries, "thrown": thrown}), flush=True)
    print(json.dumps([await end(socket) for socket, _ in members[:-1]]), flush=True)

asyncio.run(main(sys.argv[1]))
`;

function body(): void {
  test.each(classes)(
    "is served by %s",
    async (workerClass) => {
      await using server = await serveApp(workerClass, ["-w", "2"]);
      await server.settled(2);
      const url = server.url.replace("http", "ws");
      await using peer = Bun.spawn([python, "-c", client, url], { stdio: ["ignore", "pipe", 2] });
      const lines = linesOf(peer.stdout);
      const done = JSON.parse(await nextOf(lines)) as Record<string, unknown>;
      const { texts, binaries, ...others } = done as Record<string, unknown[]>;
      expect(others as unknown).toEqual({ echoed: 1_000_000, thrown: 1011 });
      expect(new Set(texts)).toEqual(new Set(["in parts"]));
      expect(binaries).toEqual(texts?.map(() => [0, 255]) ?? []);
      server.kill("SIGTERM");
      const codes = JSON.parse(await nextOf(lines)) as number[];
      expect(new Set(codes)).toEqual(new Set([1001]));
      expect([await peer.exited, await server.process.exited]).toEqual([0, 0]);
    },
    120_000,
  );
}

const isHere =
  Bun.which(python) !== null && Bun.spawnSync([python, "-c", "import websockets"]).success;
if (isHere) describe("Python's websockets", body);
else describe.skip("Python's websockets (not installed here: python3-websockets)", body);
