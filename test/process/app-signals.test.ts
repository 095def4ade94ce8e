import { describe, expect, test } from "bun:test";
import { Load } from "../support/loads/load.ts";
import { gunicorn, until, waitsForGo } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";

/** Answers at once, after a while, or when a file is there. */
const serves = `export const fetch = async (request) => {
  if (request.url.endsWith("/slow")) {
    console.error("slow begins");
    ${waitsForGo}
  } else if (Math.random() < 0.5) await Bun.sleep(20);
  return new Response("ok");
};
const cleanUp = (...args) => console.error("clean-up " + process.pid + " " + args.join(" "));
`;

/** How apps, and the libraries that they take, listen. */
const rows: [name: string, listens: string][] = [
  [
    "on(), and ends the process",
    `process.on("SIGTERM", (...a) => { cleanUp(...a); process.exit(0); });`,
  ],
  [
    "on(), and ends with an error",
    `process.on("SIGTERM", (...a) => { cleanUp(...a); process.exit(4); });`,
  ],
  ["on(), and only cleans up", `process.on("SIGTERM", cleanUp);`],
  ["once()", `process.once("SIGTERM", (...a) => { cleanUp(...a); process.exit(0); });`],
  [
    "addListener()",
    `process.addListener("SIGTERM", (...a) => { cleanUp(...a); process.exit(0); });`,
  ],
  [
    "prependListener()",
    `process.prependListener("SIGTERM", (...a) => { cleanUp(...a); process.exit(0); });`,
  ],
  [
    "prependOnceListener(), by node:process",
    `import own from "node:process"; own.prependOnceListener("SIGTERM", (...a) => { cleanUp(...a); own.exit(0); });`,
  ],
  [
    "events.once()",
    `import { once } from "node:events";
     void once(process, "SIGTERM").then((a) => { cleanUp(...a); process.exit(0); });`,
  ],
  [
    "a promise, as terminus and close-with-grace",
    `process.once("SIGTERM", async (...a) => { await Bun.sleep(50); cleanUp(...a); process.exit(0); });`,
  ],
  [
    "a signal to itself, as signal-exit",
    `const again = (...a) => {
       if (process.listeners("SIGTERM").length !== 1) return;
       process.removeListener("SIGTERM", again);
       cleanUp(...a);
       process.kill(process.pid, "SIGTERM");
     };
     process.on("SIGTERM", again);`,
  ],
  [
    "another listener that throws",
    `process.on("SIGTERM", () => { throw new Error("on purpose"); }); process.on("SIGTERM", cleanUp);`,
  ],
];

function cleanUps(log: string): string[] {
  return [...log.matchAll(/^clean-up (\d+) SIGTERM 15$/gm)].map(([, pid = ""]) => pid);
}

describe("an app that listens for SIGTERM", () => {
  test.each(rows)(
    "by %s: HUP and TERM lose nothing, and it runs once in each worker",
    async (_, listens) => {
      const files = { "app.ts": serves + listens };
      await using server = await gunicorn({ files, args: ["-w", "2"] });
      const load = new Load({ port: server.port, fresh: 4, kept: 4, expected: "ok" });
      await load.more(200);
      server.kill("SIGHUP");
      await until("clean-up of the old ones", () => cleanUps(server.log).length === 2);
      await load.more(200);
      await load.pause();
      expect(load.failures).toEqual([]);
      const slow = fetch(`${server.url}/slow`, { keepalive: false });
      await server.logged("slow begins");
      server.kill("SIGTERM");
      await server.logged("Handling signal: term");
      await until("clean-up of the idle one", () => cleanUps(server.log).length === 3);
      server.go();
      expect(await (await slow).text()).toBe("ok");
      expect(await server.process.exited).toBe(0);
      await until("the whole log", () => server.ended());
      expect(new Set(cleanUps(server.log)).size).toBe(4);
      expect(cleanUps(server.log)).toHaveLength(4);
      expect(server.log.match(/Worker exiting \(pid: \d+\)/g)).toHaveLength(4);
      expect(server.log).not.toContain("exited with code");
      expect(server.log).toContain("The app listens for SIGTERM: called when this worker has");
      await load.stop();
    },
    120_000,
  );

  test("runs nothing that it has removed", async () => {
    const listens = `process.on("SIGTERM", cleanUp); process.off("SIGTERM", cleanUp);
      process.once("SIGTERM", cleanUp); process.removeListener("SIGTERM", cleanUp);
      process.on("SIGTERM", cleanUp); process.removeAllListeners("SIGTERM");
      process.on("SIGTERM", cleanUp); process.removeAllListeners();
      console.error("listens " + process.listenerCount("SIGTERM"));`;
    await using server = await gunicorn({ files: { "app.ts": serves + listens } });
    await server.logged("listens 0");
    expect(await server.stop()).toBe(0);
    expect(cleanUps(server.log)).toEqual([]);
  }, 120_000);

  test("is cut at graceful_timeout", async () => {
    const listens = `process.on("SIGTERM", async () => { cleanUp("SIGTERM", 15); await new Promise(() => {}); });`;
    await using server = await gunicorn({
      files: { "app.ts": serves + listens },
      args: ["--graceful-timeout", "1"],
    });
    expect(await server.stop()).toBe(0);
    expect(cleanUps(server.log)).toHaveLength(1);
  }, 120_000);
});

test.each(["SIGINT", "SIGQUIT"] as const)(
  "an app that listens for SIGINT cleans up at %s",
  async (signal) => {
    const listens = `process.on("SIGINT", () => { cleanUp("SIGTERM", 15); process.exit(0); });`;
    await using server = await gunicorn({ files: { "app.ts": serves + listens } });
    expect(await server.stop(signal)).toBe(0);
    expect(cleanUps(server.log)).toHaveLength(1);
  },
  120_000,
);

test("an app that listens for SIGHUP isn't called, and serves on", async () => {
  const listens = `process.on("SIGHUP", () => process.exit(0));`;
  await using server = await gunicorn({ files: { "app.ts": serves + listens } });
  await server.logged("The app listens for SIGHUP: not called, the signal is the master's");
  const [pid] = server.workers();
  process.kill(pid as number, "SIGHUP");
  expect(await (await fetch(server.url)).text()).toBe("ok");
  expect(server.workers()).toEqual([pid as number]);
  expect(await server.stop()).toBe(0);
}, 120_000);

test.each(["on", "once", "addListener", "prependListener", "prependOnceListener"])(
  "what comes from the master by IPC isn't told an app that listens by %s()",
  async (method) => {
    const app = `process.${method}("message", (said) => console.error("the app hears", said));
export default {
  fetch(request, server) {
    if (server.upgrade(request)) return;
    return new Response("told " + server.publish("room", new URL(request.url).pathname));
  },
  websocket: { open(socket) { socket.subscribe("room"); }, message() {} },
};`;
    await using server = await gunicorn({ files: { "app.ts": app }, args: ["-w", "2"] });
    await server.settled(2);
    await server.logged("The app listens for message: not called");
    const clients = Array.from({ length: 20 }, () => new Client(server.url));
    await until("all to be open", () => clients.every((client) => client.isOpen));
    // The relay still gets what it is sent.
    await fetch(`${server.url}/hello`);
    await Promise.all(clients.map((client) => client.hears("/hello")));
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("the app hears");
  },
  120_000,
);
