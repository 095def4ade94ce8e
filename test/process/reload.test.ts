import { expect, test } from "bun:test";
import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { linesOf, nextOf } from "../support/lines.ts";
import { Load } from "../support/loads/load.ts";
import { freePort } from "../../bench/free-port.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";
import type { StopLoadResult } from "../support/loads/stop-load.ts";

const okApp = `console.error("app loaded"); export const fetch = () => new Response("ok");`;

/** The workers, once they have all read the app: from then on the file may change. */
async function loaded(server: RunningServer, count: number): Promise<number[]> {
  await until(`${count} apps loaded`, () => server.log.match(/app loaded/g)?.length === count);
  return server.settled(count);
}

function write(server: RunningServer, name: string, text: string): void {
  writeFileSync(join(server.folder, name), text);
}

async function replaced(server: RunningServer, before: readonly number[]): Promise<number[]> {
  await until("all workers replaced", () => {
    const now = server.workers();
    return now.length > 0 && now.every((pid) => !before.includes(pid));
  });
  return server.workers();
}

/** Clients of a port that have had their first 100 answers. Who can't connect has lost nothing, and ends with that. */
async function startClients(port: number) {
  const program = join(import.meta.dir, "../support/loads/stop-load.ts");
  const load = Bun.spawn([process.execPath, program, `http://127.0.0.1:${port}/`, "ok"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = linesOf(load.stdout);
  expect(await nextOf(lines)).toBe("100 answered");
  return {
    async end(): Promise<StopLoadResult> {
      load.stdin.end();
      return JSON.parse(await nextOf(lines)) as StopLoadResult;
    },
    [Symbol.asyncDispose]: () => load[Symbol.asyncDispose](),
  };
}

async function answer(server: RunningServer, path = "/"): Promise<string> {
  const response = await fetch(new URL(path, server.url), { keepalive: false });
  return response.text();
}

const breakages: readonly {
  name: string;
  file: string;
  broken: string;
  sound: string;
  says: RegExp;
}[] = [
  {
    name: "a configuration file with a syntax error",
    file: "gunicorn.conf.ts",
    broken: `export default { workers: 2,, };`,
    sound: `export default { workers: 2 };`,
    says: /Reload failed, the running workers stay: gunicorn\.conf\.ts:1:\d+: /,
  },
  {
    name: "a configuration file with a wrong type",
    file: "gunicorn.conf.ts",
    broken: `export default { workers: "many" };`,
    sound: `export default { workers: 2 };`,
    says: /Reload failed, the running workers stay: gunicorn\.conf\.ts: workers: .*many/,
  },
  {
    name: "an app that no longer imports",
    file: "app.ts",
    broken: `throw new Error("broken on purpose");`,
    sound: okApp,
    says: /Exception in worker process\n[^]*broken on purpose[^]*Reload failed, the running workers stay: worker \(pid:\d+\) of the new configuration failed to boot/,
  },
  {
    name: "an app with a syntax error",
    file: "app.ts",
    broken: `export const fetch = (`,
    sound: okApp,
    says: /Exception in worker process\n[^]*Reload failed, the running workers stay/,
  },
  {
    name: "an app whose export is gone",
    file: "app.ts",
    broken: `export const other = 1;`,
    sound: okApp,
    says: /Failed to find attribute 'fetch' in 'app'[^]*Reload failed, the running workers stay/,
  },
];

test.each(breakages)(
  "HUP with $name: requests go on, the old workers stay, the log says why, and the next HUP works",
  async ({ file, broken, sound, says }) => {
    const files = { "app.ts": okApp, "gunicorn.conf.ts": `export default { workers: 2 };` };
    await using server = await gunicorn({ files, app: "app:fetch" });
    const before = await loaded(server, 2);
    const load = new Load({ port: server.port, fresh: 2, kept: 2, expected: "ok" });
    write(server, file, broken);
    server.kill("SIGHUP");
    await server.logged(says);
    await load.more(200);
    await until("the old workers alone", () => Bun.deepEquals(server.workers(), before));
    write(server, file, sound);
    server.kill("SIGHUP");
    await replaced(server, before);
    await load.more(200);
    expect((await load.stop()).failures).toEqual([]);
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test("HUP takes up the new code, worker count, environment and limits", async () => {
  const app = (word: string) =>
    `export const fetch = () => new Response("${word} " + process.env.COLOUR);`;
  const config = (workers: number, colour: string, line: number) =>
    `export default { workers: ${workers}, rawEnv: ["COLOUR=${colour}"], limitRequestLine: ${line} };`;
  await using server = await gunicorn({
    files: { "app.ts": app("one"), "gunicorn.conf.ts": config(1, "red", 4094) },
  });
  expect(await answer(server)).toBe("one red");
  const before = await server.settled(1);
  write(server, "app.ts", app("two"));
  write(server, "gunicorn.conf.ts", config(3, "blue", 20));
  server.kill("SIGHUP");
  await replaced(server, before);
  await server.settled(3);
  expect(await answer(server)).toBe("two blue");
  const long = await fetch(new URL("/longer-than-twenty", server.url));
  expect(long.status).toBe(414);
  expect(await server.stop()).toBe(0);
});

test("HUP moves to another address: the new one serves, the old one closes, nothing is lost", async () => {
  const config = (port: number) => `export default { bind: "127.0.0.1:${port}", workers: 2 };`;
  const first = freePort();
  const second = freePort();
  const files = { "app.ts": okApp, "gunicorn.conf.ts": config(first) };
  await using server = await gunicorn({ files, bind: [] });
  const before = await server.settled(2);
  await using clients = await startClients(first);
  write(server, "gunicorn.conf.ts", config(second));
  server.kill("SIGHUP");
  await server.logged(`Listening at: http://127.0.0.1:${second}`);
  await replaced(server, before);
  expect(await (await fetch(`http://127.0.0.1:${second}/`)).text()).toBe("ok");
  await until("the old address is closed", async () => {
    const refused = await fetch(`http://127.0.0.1:${first}/`).catch(() => "refused");
    return refused === "refused";
  });
  const { answered, lost } = await clients.end();
  expect(lost).toEqual([]);
  expect(answered).toBeGreaterThan(100);
  expect(await server.stop()).toBe(0);
}, 120_000);

test.each<[then: string, thirdBinds: (first: number, second: number) => readonly number[]]>([
  ["stays there", (_first, second) => [second]],
  ["goes back to both", (first, second) => [first, second]],
])(
  "HUP moves to another address, and a HUP in the middle of that %s: nothing is lost",
  async (_then, thirdBinds) => {
    const gate = (name: string) => `
      while (!require("node:fs").existsSync(${JSON.stringify(name)})) await Bun.sleep(5);`;
    const config = (ports: readonly number[], before = "") =>
      `${before}
      export default { bind: ${JSON.stringify(ports.map((port) => `127.0.0.1:${port}`))}, workers: 2 };`;
    const [first, second] = [freePort("127.0.0.1"), freePort("127.0.0.1")];
    const files = { "app.ts": okApp, "gunicorn.conf.ts": config([first]) };
    await using server = await gunicorn({ files, bind: [] });
    const before = await loaded(server, 2);
    await using clients = await startClients(first);
    // The first reload is on trial while the second one reads its file, and through before that has read it.
    write(server, "app.ts", gate("boot") + okApp);
    write(server, "gunicorn.conf.ts", config([second]));
    server.kill("SIGHUP");
    const moved = await server.logged(`Listening at: http://127.0.0.1:${second}`);
    const third = thirdBinds(first, second);
    write(server, "gunicorn.conf.ts", config(third, `console.error("reading");${gate("read")}`));
    server.kill("SIGHUP");
    const reading = await server.logged("reading", moved);
    write(server, "boot", "");
    const between = await replaced(server, before);
    write(server, "read", "");
    if (third.length > 1) await server.logged(`Listening at: http://127.0.0.1:${first},`, reading);
    await replaced(server, [...before, ...between]);
    await until("the addresses are as they are wanted", async () => {
      const answers = [first, second].map((port) =>
        fetch(`http://127.0.0.1:${port}/`, { keepalive: false }).then(
          () => true,
          () => false,
        ),
      );
      const [old, fresh] = await Promise.all(answers);
      return old === third.includes(first) && fresh === true;
    });
    expect(await server.stop()).toBe(0);
    const { answered, lost } = await clients.end();
    expect(lost).toEqual([]);
    expect(answered).toBeGreaterThan(100);
  },
  120_000,
);

test("HUP to an address that somebody else uses: the old one stays", async () => {
  using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const port = freePort();
  const config = (to: number) => `export default { bind: "127.0.0.1:${to}" };`;
  const files = { "app.ts": okApp, "gunicorn.conf.ts": config(port) };
  await using server = await gunicorn({ files, bind: [] });
  write(server, "gunicorn.conf.ts", config(taken.port));
  server.kill("SIGHUP");
  await server.logged(`Connection in use: ('127.0.0.1', ${taken.port})`);
  await server.logged(/Reload failed, the running workers stay: Can't connect to/);
  expect(await answer(server)).toBe("ok");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("a worker that dies after a file was broken is retried with back-off, and the others go on", async () => {
  await using server = await gunicorn({ files: { "app.ts": okApp }, args: ["-w", "2"] });
  const [victim] = await loaded(server, 2);
  write(server, "app.ts", `throw new Error("edited");`);
  process.kill(victim as number, "SIGKILL");
  await server.logged(/Worker of slot \d failed \d times in a row, next start in \d/);
  const load = new Load({ port: server.port, fresh: 0, kept: 1, expected: "ok" });
  write(server, "app.ts", okApp);
  await server.settled(2);
  await load.more(50);
  expect((await load.stop()).failures).toEqual([]);
  expect(await server.stop()).toBe(0);
}, 120_000);

test("HUP after the configuration file was removed goes back to the defaults", async () => {
  const files = { "app.ts": okApp, "gunicorn.conf.ts": `export default { workers: 2 };` };
  await using server = await gunicorn({ files });
  const before = await server.settled(2);
  unlinkSync(join(server.folder, "gunicorn.conf.ts"));
  server.kill("SIGHUP");
  await replaced(server, before);
  await server.settled(1);
  expect(await server.stop()).toBe(0);
});
