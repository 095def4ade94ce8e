import { describe, expect, test } from "bun:test";
import { until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";
import {
  classes,
  connect,
  crowd,
  hearers,
  type Member,
  serveApp,
  settle,
} from "../support/websockets.ts";

describe.each(classes)("websockets on %s", (workerClass) => {
  const serve = (...args: string[]) => serveApp(workerClass, args);

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
  }, 120_000);

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
  }, 120_000);

  test("publish answers what this worker's own clients get", async () => {
    await using server = await serve("-w", "2");
    await server.settled(2);
    expect(await (await fetch(`${server.url}/nobody`)).text()).toBe("0");
    await crowd(server.url, 2);
    expect(await (await fetch(`${server.url}/room`)).text()).toBe("7");
  }, 120_000);

  test("publish to old and new workers while a reload is under way", async () => {
    await using server = await serve("-w", "2", "--warmup-requests", "100");
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
    // The old ones leave when the new ones are warm.
    const olds = all.filter(({ generation }) => generation === 1).map(({ client }) => client);
    await until("the old workers to close their websockets", async () => {
      const asks = Array.from({ length: 20 }, () => fetch(server.url, { keepalive: false }));
      // Class serve may reset a connection that waits while a worker leaves.
      await Promise.allSettled(asks);
      return olds.every((client) => !client.isOpen);
    });
    const codes = await Promise.all(olds.map((client) => client.closed));
    expect(new Set(codes)).toEqual(new Set([1001]));
    // What close handlers publish leaves before their worker does.
    const left = all.filter(({ generation }) => generation === 2);
    const farewells = left.map(() => codes.length);
    await until("all farewells", () => Bun.deepEquals(hearers(left, "left"), farewells));
    expect(await server.stop()).toBe(0);
  }, 120_000);

  test("miss nothing and get nothing twice while workers are replaced", async () => {
    await using server = await serve("-w", "2");
    await server.settled(2);
    const over = new AbortController();
    const all: Client[] = [];
    const silent: Client[] = [];
    const codes: number[] = [];
    /** Comes back whenever it is sent away; says something all the time, or nothing. */
    const stay = async (says: string) => {
      while (!over.signal.aborted) {
        const client = new Client(server.url);
        all.push(client);
        if (says === "") silent.push(client);
        const timer = setInterval(() => client.isOpen && says !== "" && client.send(says), 1);
        const code = await client.closed;
        clearInterval(timer);
        // Class serve may reset a connection that waits while a worker leaves.
        if (client.heard.length > 0) codes.push(code);
      }
    };
    const clients = [...Array.from({ length: 20 }, () => ""), "next", "next"].map(stay);
    const open = () => all.filter((client) => client.isOpen && client.heard.length > 0).length;
    await until("all to be there", () => open() === 22);
    for (let reload = 1; reload <= 3; reload += 1) {
      const old = server.workers();
      server.kill("SIGHUP");
      await until("new workers, and all to be there again", () => {
        const pids = server.workers();
        return pids.length === 2 && !pids.some((pid) => old.includes(pid)) && open() === 22;
      });
    }
    over.abort();
    expect(await server.stop()).toBe(0);
    await Promise.all(clients);
    expect(new Set(codes)).toEqual(new Set([1001]));
    // By worker that sent them, as each client has heard them that has sent nothing itself.
    const heard = silent.flatMap(({ heard: texts }) => [
      ...Map.groupBy(
        texts.filter((text) => text.startsWith("number ")).map((text) => text.split(" ")),
        ([, pid]) => pid,
      ).values(),
    ]);
    expect(heard.length).toBeGreaterThan(20);
    for (const numbers of heard) {
      const [first] = numbers;
      const expected = numbers.map((_, index) => String(Number(first?.[2]) + index));
      expect(numbers.map(([, , number]) => number)).toEqual(expected);
    }
  }, 120_000);

  test("of two addresses get what either publishes, once", async () => {
    await using server = await serveApp(workerClass, [], ["127.0.0.1:0", "127.0.0.1:0"]);
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
  }, 120_000);

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
  }, 120_000);

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
  }, 120_000);
});
