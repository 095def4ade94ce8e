import { describe, expect, test } from "bun:test";
import { handshake } from "../support/frames.ts";
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";
import { classes, connect, crowd, hearers, type Member, serveApp } from "../support/websockets.ts";

describe.each(classes)("websockets on %s", (workerClass) => {
  const serve = (...args: string[]) => serveApp(workerClass, args);

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
    120_000,
  );

  test("longer than websocket_max_message_size close with 1009", async () => {
    await using server = await serve("--websocket-max-message-size", "1000");
    const { client } = await connect(server.url);
    const text = "x".repeat(995);
    client.send(`echo:${text}`);
    await client.hears(text);
    client.send(`echo:${text}x`);
    expect(await client.closed).toBe(1009);
  }, 120_000);

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
    120_000,
  );

  test.each(["SIGINT", "SIGQUIT"] as const)(
    "are closed at once at %s, which waits for no client",
    async (signal) => {
      await using server = await serve("--graceful-timeout", "600");
      const members = await Promise.all(Array.from({ length: 50 }, () => connect(server.url)));
      // It doesn't read, nor answer the close.
      using silent = await RawClient.connect(server.port);
      await silent.ask(handshake("/"));
      silent.pause();
      expect(await server.stop(signal)).toBe(0);
      const codes = await Promise.all(members.map(({ client }) => client.closed));
      expect(new Set(codes)).toEqual(new Set([1001]));
      expect(server.log).toContain("closed with 1001");
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
  }, 120_000);

  test("end within graceful_timeout, however many there are", async () => {
    // 100 a second would take longer, and each has still some seconds for its own part of the close.
    await using server = await serve("--graceful-timeout", "7");
    const clients = Array.from({ length: 800 }, () => new Client(server.url));
    await until("all to be open", () => clients.every(({ heard }) => heard.length === 1));
    expect(await server.stop()).toBe(0);
    const codes = await Promise.all(clients.map(({ closed }) => closed));
    expect(new Set(codes)).toEqual(new Set([1001]));
    expect(server.log).not.toContain("graceful_timeout");
  }, 120_000);
});
