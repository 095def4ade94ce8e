/** An app that listens by itself, which was made to be run alone. */
import { expect, test } from "bun:test";
import { gunicorn, start, until } from "../support/server.ts";

const exported = `export default { fetch: () => new Response("ours") };`;
const warning = /The app opens a port of its own, (\S+), beside the addresses of this server/g;

const listens = {
  "Bun.listen": `Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });`,
  "node:http": `import { createServer } from "node:http";
    import { once } from "node:events";
    const server = createServer((_request, response) => response.end("own"));
    await once(server.listen(0, "127.0.0.1"), "listening");`,
};

const rows = (["async", "serve"] as const).flatMap((kind) =>
  (Object.keys(listens) as (keyof typeof listens)[]).map((how) => [kind, how] as const),
);

test.each(rows)(
  "-k %s: a port that %s opens is told once, by address, and requests are answered",
  async (kind, how) => {
    await using server = await gunicorn({
      files: { "app.ts": `${listens[how]}\n${exported}` },
      args: ["-k", kind, "-w", "2"],
    });
    await server.settled(2);
    const mark = await server.logged(/The app opens a port of its own, 127\.0\.0\.1:\d+, beside/);
    expect(await (await fetch(server.url)).text()).toBe("ours");
    server.kill("SIGTTIN");
    await server.settled(3);
    await until("a third worker", () => server.log.match(/Booting worker/g)?.length === 3);
    expect(await server.stop()).toBe(0);
    expect(server.log.match(warning)).toHaveLength(1);
    expect(server.log.slice(mark)).not.toContain("ERROR");
  },
  120_000,
);

test("workers that collide at a port of the app's say so, with the exit code of a worker that can't boot", async () => {
  using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const own = `Bun.listen({ hostname: "127.0.0.1", port: ${taken.port}, socket: { data() {} } });`;
  await using server = start({ files: { "app.ts": `${own}\n${exported}` } });
  expect(await server.process.exited).toBe(3);
  expect(server.log).toContain("The app opens a port of its own, where workers collide");
}, 120_000);

const collides = {
  "node:net, which tells it by an event": (port: number) =>
    `import { createServer } from "node:net"; createServer().listen(${port}, "127.0.0.1");`,
  "Bun.listen, a while after the import": (port: number) =>
    `setTimeout(() => Bun.listen({ hostname: "127.0.0.1", port: ${port}, socket: { data() {} } }), 10);`,
};

test.each(Object.keys(collides) as (keyof typeof collides)[])(
  "a port that is taken is told as the app's own: %s",
  async (how) => {
    using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    await using server = start({
      files: { "app.ts": `${collides[how](taken.port)}\n${exported}` },
    });
    await until("the line", () =>
      server.log.includes("The app opens a port of its own, where workers collide"),
    );
  },
  120_000,
);

test.each(["async", "serve"])(
  "-k %s: a port that the app opens a moment after its import is told once",
  async (kind) => {
    const late = `setTimeout(() => Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }), 200);`;
    await using server = await gunicorn({
      files: { "app.ts": `${late}\n${exported}` },
      args: ["-k", kind, "-w", "2"],
    });
    await server.logged(/The app opens a port of its own, 127\.0\.0\.1:\d+, beside/);
    expect(await (await fetch(server.url)).text()).toBe("ours");
    expect(await server.stop()).toBe(0);
    expect(server.log.match(warning)).toHaveLength(1);
  },
  120_000,
);

test("an app that opens none is told nothing", async () => {
  await using server = await gunicorn({ files: { "app.ts": exported } });
  expect(await server.stop()).toBe(0);
  expect(server.log).not.toContain("port of its own");
});
