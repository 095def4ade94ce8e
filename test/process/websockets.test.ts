import { describe, expect, test } from "bun:test";
import { gunicorn, type RunningServer, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";

/** Does what its clients say: `publish TEXT`, `throw`... */
const app = `import { generation } from "./generation.ts";
// Once the app is found, a server of its own is one.
let secret = null;
const privateServer = () => secret ??= Bun.serve({
  port: 0,
  fetch: (request, server) => void server.upgrade(request),
  websocket: {
    open(socket) { socket.subscribe("room"); },
    message(socket, text) { socket.publish("room", text); },
  },
});
function fail(text) { throw new Error(text); }
export default {
  fetch(request, server) {
    if (server.upgrade(request)) return;
    const { pathname } = new URL(request.url);
    if (pathname === "/private") return new Response(String(privateServer().port));
    const topic = decodeURIComponent(pathname.slice(1));
    return new Response(topic === "" ? "" : String(server.publish(topic, "to " + topic)));
  },
  websocket: {
    open(socket) {
      socket.subscribe("room");
      socket.send(JSON.stringify({ pid: process.pid, generation }));
    },
    message(socket, message) {
      if (typeof message !== "string") return void socket.publish("room", message);
      const [order, text] = message.split(":");
      if (order === "publish") socket.publish("room", text);
      if (order === "publishText") socket.publishText("room", text);
      if (order === "publishBinary") socket.publishBinary("room", new Uint8Array([4, 5]));
      if (order === "corked") socket.cork((same) => same.publish("room", text));
      if (order === "count") for (let at = 0; at < Number(text); at += 1) socket.publish("room", "n" + at);
      if (order === "flood") {
        for (let at = 0; at < Number(text); at += 1) socket.publish("nobody", "x".repeat(1e6));
        socket.send("flooded");
      }
      if (order === "throw") fail("on purpose");
      if (order === "reject") return Bun.sleep(1).then(() => fail("on purpose"));
      if (order === "echo") socket.send(text);
    },
    close(socket, code) {
      console.error("closed with " + code + " at " + performance.now());
      socket.publish("room", "left");
    },
  },
};`;

const files = { "app.ts": app, "generation.ts": "export const generation = 1;" };

interface Member {
  readonly client: Client;
  readonly pid: number;
  readonly generation: number;
}

async function connect(url: string): Promise<Member> {
  const client = new Client(url);
  await until("a welcome", () => client.heard.length > 0);
  return {
    client,
    ...(JSON.parse(client.heard[0] as string) as { pid: number; generation: number }),
  };
}

/** Connects until each of so many workers has two clients. */
async function crowd(url: string, workers: number): Promise<Member[]> {
  const members: Member[] = [];
  await until(`two clients of each of ${workers} workers`, async () => {
    members.push(await connect(url));
    const counts = Map.groupBy(members, ({ pid }) => pid);
    return counts.size === workers && [...counts.values()].every((each) => each.length >= 2);
  });
  return members;
}

/** Who has heard something, and how often. */
function hearers(members: readonly Member[], text: string): number[] {
  return members.map(({ client }) => client.heard.filter((heard) => heard === text).length);
}

/** What came before is heard by now. */
async function settle(server: RunningServer, members: readonly Member[]): Promise<void> {
  const topic = `room`;
  const seen = members.map(({ client }) => client.heard.length);
  await fetch(`${server.url}/${topic}`, { keepalive: false });
  await until("the last message", () =>
    members.every(({ client }, index) => client.heard.indexOf("to room", seen[index]) !== -1),
  );
}

const serve = (...args: string[]) => gunicorn({ files, args: ["-k", "serve", ...args] });

describe("websockets", () => {
  const orders: [order: string | Uint8Array<ArrayBuffer>, heard: string][] = [
    ["publish:one", "one"],
    ["publish:", ""],
    ["publish:\u00e9\u{1f600}", "\u00e9\u{1f600}"],
    ["publishText:two", "two"],
    ["publishBinary", "bytes 4,5"],
    ["corked:three", "three"],
    [new Uint8Array([0, 255]), "bytes 0,255"],
  ];

  test("publish to the clients of all workers, once each, and not to the sender", async () => {
    await using server = await serve("-w", "3");
    await server.settled(3);
    const members = await crowd(server.url, 3);
    const sender = members[0] as Member;
    for (const [order, heard] of orders) {
      sender.client.send(order);
      await until(`all to hear ${heard}`, () => {
        return hearers(members, heard).every((count, index) => index === 0 || count > 0);
      });
    }
    await settle(server, members);
    for (const [, heard] of orders) {
      expect([heard, hearers(members, heard)]).toEqual([
        heard,
        members.map((_, index) => (index === 0 ? 0 : 1)),
      ]);
    }
    // server.publish has no sender.
    expect(hearers(members, "to room")).toEqual(members.map(() => 1));
    expect(await server.stop()).toBe(0);
  }, 60_000);

  test("publish in the order of each sender", async () => {
    await using server = await serve("-w", "3");
    await server.settled(3);
    const members = await crowd(server.url, 3);
    members[0]?.client.send("count:2000");
    const numbers = Array.from({ length: 2000 }, (_, at) => `n${at}`);
    for (const { client } of members.slice(1)) {
      await client.hears("n1999");
      expect(client.heard.filter((text) => text.startsWith("n"))).toEqual(numbers);
    }
  }, 60_000);

  test("publish answers what this worker's own clients get", async () => {
    await using server = await serve("-w", "2");
    await server.settled(2);
    expect(await (await fetch(`${server.url}/nobody`)).text()).toBe("0");
    await crowd(server.url, 2);
    expect(await (await fetch(`${server.url}/room`)).text()).toBe("7");
  }, 60_000);

  test("publish to old and new workers while a reload is under way", async () => {
    await using server = await serve("-w", "2", "--warmup-requests", "100000");
    await server.settled(2);
    const old = await crowd(server.url, 2);
    await Bun.write(`${server.folder}/generation.ts`, "export const generation = 2;");
    server.kill("SIGHUP");
    await server.settled(4);
    const newer: Member[] = [];
    await until("a client of a new worker", async () => {
      newer.push(await connect(server.url));
      return newer.some(({ generation }) => generation === 2);
    });
    const all = [...old, ...newer];
    const senders = [
      all.find((each) => each.generation === 1),
      all.find((each) => each.generation === 2),
    ];
    for (const [index, sender] of senders.entries()) {
      const text = `from generation ${index + 1}`;
      sender?.client.send(`publish:${text}`);
      const expected = all.map((each) => (each === sender ? 0 : 1));
      await until(`all to hear ${text}`, () => Bun.deepEquals(hearers(all, text), expected));
    }
    // The old ones leave when the new ones are warm, or after ten seconds.
    const codes = await Promise.all(
      all.filter(({ generation }) => generation === 1).map(({ client }) => client.closed),
    );
    expect(new Set(codes)).toEqual(new Set([1001]));
    // What close handlers publish leaves before their worker does.
    const left = all.filter(({ generation }) => generation === 2);
    const farewells = left.map(() => codes.length);
    await until("all farewells", () => Bun.deepEquals(hearers(left, "left"), farewells));
    expect(await server.stop()).toBe(0);
  }, 90_000);

  test("of two addresses get what either publishes, once", async () => {
    await using server = await gunicorn({
      files,
      args: ["-k", "serve"],
      bind: ["127.0.0.1:0", "127.0.0.1:0"],
    });
    const [, urls = ""] = /Listening at: (\S+)/.exec(server.log) ?? [];
    const clients = urls.split(",").map((url) => connect(url));
    expect(clients).toHaveLength(2);
    const members = await Promise.all(clients);
    members[0]?.client.send("publish:one");
    await members[1]?.client.hears("one");
    members[1]?.client.send("publish:two");
    await members[0]?.client.hears("two");
    await settle(server, members);
    expect(hearers(members, "one")).toEqual([0, 1]);
    expect(hearers(members, "two")).toEqual([1, 0]);
  }, 60_000);

  test("of a private server of the app's keep to themselves", async () => {
    await using server = await serve();
    const [member] = [await connect(server.url)];
    const port = await (await fetch(`${server.url}/private`)).text();
    const inside = [0, 1].map(() => new Client(`http://127.0.0.1:${port}`));
    await until("both to be open", () => inside.every((client) => client.isOpen));
    inside[0]?.send("secret");
    await inside[1]?.hears("secret");
    await settle(server, [member]);
    expect(member.client.heard).not.toContain("secret");
    expect(inside[1]?.heard).not.toContain("to room");
  }, 60_000);

  test.each(["throw", "reject"])(
    "that %s close with 1011, and nobody else",
    async (order) => {
      await using server = await serve();
      const members = [await connect(server.url), await connect(server.url)];
      const [bad, good] = members as [Member, Member];
      bad.client.send(order);
      expect(await bad.client.closed).toBe(1011);
      await server.logged(
        /\[ERROR\] Error handling websocket message of 127\.0\.0\.1\nError: on purpose\n.*app\.ts/,
      );
      good.client.send("echo:still here");
      await good.client.hears("still here");
      expect((await connect(server.url)).pid).toBe(good.pid);
      expect(server.log).not.toContain("asks to be replaced");
      expect(await server.stop()).toBe(0);
    },
    60_000,
  );

  test("longer than websocket_max_message_size close with 1009", async () => {
    await using server = await serve("--websocket-max-message-size", "1000");
    const { client } = await connect(server.url);
    const text = "x".repeat(995);
    client.send(`echo:${text}`);
    await client.hears(text);
    client.send(`echo:${text}x`);
    expect(await client.closed).toBe(1009);
  }, 60_000);

  test.each(["SIGHUP", "SIGTERM"] as const)(
    "are closed one after the other at %s",
    async (signal) => {
      await using server = await serve();
      const members = await Promise.all(Array.from({ length: 100 }, () => connect(server.url)));
      server.kill(signal);
      const codes = await Promise.all(members.map(({ client }) => client.closed));
      expect(new Set(codes)).toEqual(new Set([1001]));
      const times = await until("100 lines", () => {
        const lines = [...server.log.matchAll(/closed with 1001 at ([\d.]+)/g)];
        return lines.length === 100 ? lines.map(([, at]) => Number(at)) : null;
      });
      // 100 a second; the last one closes in the last tick, however slow the machine is.
      expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(900);
      if (signal === "SIGHUP") await connect(server.url);
      expect(await (signal === "SIGHUP" ? server.stop() : server.process.exited)).toBe(0);
      expect(server.log).not.toContain("graceful_timeout");
    },
    60_000,
  );

  test("of a worker that TTOU retires are closed, and those of the others aren't", async () => {
    await using server = await serve("-w", "2");
    await server.settled(2);
    const members = await crowd(server.url, 2);
    server.kill("SIGTTOU");
    const [stays] = await server.settled(1);
    const [staying, leaving] = [true, false].map((here) =>
      members.filter(({ pid }) => (pid === stays) === here),
    ) as [Member[], Member[]];
    const codes = await Promise.all(leaving.map(({ client }) => client.closed));
    expect(new Set(codes)).toEqual(new Set([1001]));
    const farewells = staying.map(() => leaving.length);
    await until("all farewells", () => Bun.deepEquals(hearers(staying, "left"), farewells));
    staying[0]?.client.send("publish:still here");
    await staying[1]?.client.hears("still here");
  }, 60_000);

  test("end within graceful_timeout, however many there are", async () => {
    await using server = await serve("--graceful-timeout", "2");
    const members = await Promise.all(Array.from({ length: 400 }, () => connect(server.url)));
    expect(await server.stop()).toBe(0);
    const codes = await Promise.all(members.map(({ client }) => client.closed));
    expect(new Set(codes)).toEqual(new Set([1001]));
    expect(server.log).not.toContain("graceful_timeout");
  }, 60_000);

  test("publish on while one worker takes nothing, and say what it misses", async () => {
    await using server = await serve("-w", "2", "--timeout", "0");
    await server.settled(2);
    const members = await crowd(server.url, 2);
    const sender = members[0] as Member;
    const other = members.find(({ pid }) => pid !== sender.pid) as Member;
    const slow = `worker (pid:${other.pid}) is slow to take what others publish`;
    process.kill(other.pid, "SIGSTOP");
    try {
      const flooded = () => sender.client.heard.filter((text) => text === "flooded").length;
      await until("the master to drop messages", async () => {
        const before = flooded();
        sender.client.send("flood:1");
        await until("a message to be published", () => flooded() > before);
        return server.log.includes(slow);
      });
    } finally {
      process.kill(other.pid, "SIGCONT");
    }
    await server.logged(
      new RegExp(`worker \\(pid:${other.pid}\\) gets what others publish again, \\d+ message`),
    );
    sender.client.send("publish:again");
    await other.client.hears("again");
    expect(server.log.split(slow)).toHaveLength(2);
    expect(await server.stop()).toBe(0);
  }, 60_000);
});
