import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { curl } from "../support/peers.ts";
import { RawClient } from "../support/raw-client.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { type RunningServer, start, until, waitsForGo } from "../support/server.ts";
import { get } from "../support/wire.ts";

/** Answers with what it sees; a path of milliseconds blocks the event loop for so long. */
const app = `export const fetch = (request, server) => {
    const path = request.url.slice(request.url.lastIndexOf("/") + 1);
    if (path === "slow") {
      console.error("slow begins");
      return Bun.file("go").exists().then(async function wait(there) {
        if (there) return new Response("slow ends");
        await Bun.sleep(5);
        return Bun.file("go").exists().then(wait);
      });
    }
    Bun.sleepSync(Number(path) || 0);
    return Response.json({
      pid: process.pid, url: request.url, peer: server.requestIP(request),
      address: server.address, port: server.port ?? null, serverUrl: String(server.url),
      env: Object.keys(process.env).filter((name) => name.startsWith("LISTEN_")),
    });
  };`;

interface Facts {
  readonly pid: number;
  readonly url: string;
  readonly peer: object | null;
  readonly address: object | string;
  readonly port: number | null;
  readonly serverUrl: string;
  readonly env: readonly string[];
}

const files = { "app.ts": app };

/** One request over a unix socket, on a connection of its own. */
async function askUnix(unix: string, path = "/"): Promise<string> {
  const response = await fetch(`http://test${path}`, { unix, keepalive: false });
  return response.text();
}

async function facts(answer: Promise<string>): Promise<Facts> {
  return JSON.parse(await answer) as Facts;
}

async function serving(server: RunningServer): Promise<void> {
  await server.logged("Using worker:");
  await server.logged("Booting worker");
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "gunicorn-ts-sockets-"));
}

function isRefused(path: string): Promise<boolean> {
  return Bun.connect({ unix: path, socket: { data() {} } }).then(
    (socket) => {
      socket.end();
      return false;
    },
    () => true,
  );
}

describe("bind = unix:PATH", () => {
  test("three workers serve one socket, whose file goes at the end", async () => {
    await using server = start({
      files,
      bind: ["unix:app.sock"],
      args: ["-w", "3", "--umask", "007"],
    });
    const path = join(server.folder, "app.sock");
    await server.logged(/Listening at: unix:app\.sock \(\d+\)/);
    const workers = new Set<number>();
    await until("work for all three", async () => {
      const answers = Array.from({ length: 9 }, () => facts(askUnix(path, "/10")));
      for (const { pid } of await Promise.all(answers)) workers.add(pid);
      return workers.size === 3;
    });
    expect([...workers].sort()).toEqual((await server.settled(3)).sort());
    expect(statSync(path).mode & 0o777).toBe(0o770);
    const { code, output } = await curl(["--unix-socket", path, "http://example.com/a?b"]);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({
      pid: expect.any(Number),
      url: "http://example.com/a?b",
      peer: null,
      address: path,
      port: null,
      serverUrl: `unix://${path}`,
      env: [],
    });
    expect(await server.stop("SIGTERM")).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test("a peer is trusted, its address is empty in the log, and without Host the URL names localhost", async () => {
    await using server = start({ files, bind: ["unix:app.sock"] });
    const path = join(server.folder, "app.sock");
    await serving(server);
    const https = ["-H", "X-Forwarded-Proto: https", "http://example.com/"];
    const secure = await curl(["--unix-socket", path, ...https]);
    expect((JSON.parse(secure.output) as Facts).url).toBe("https://example.com/");
    const bare = await curl(["--unix-socket", path, "-0", "-H", "Host:", "http://example.com/a"]);
    expect((JSON.parse(bare.output) as Facts).url).toBe("http://localhost/a");
    await curl(["--unix-socket", path, "-X", "A B", "http://example.com/"]);
    await server.logged("Invalid request from ip=: ");
  });

  test("a folder that --chdir names is where a relative path starts", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "app.ts"), app);
    await using server = start({ bind: ["unix:app.sock"], args: ["--chdir", folder] });
    const path = join(folder, "app.sock");
    await until("an answer", () => askUnix(path).catch(() => null));
    expect(existsSync(join(server.folder, "app.sock"))).toBe(false);
    expect(await server.stop("SIGINT")).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test.skipIf(!isRoot)(`the file belongs to the workers' user and group${needsRoot}`, async () => {
    const args = ["--user", "65534", "--group", "1", "--umask", "077"];
    await using server = start({ files, bind: ["unix:app.sock"], args });
    const path = join(server.folder, "app.sock");
    await until("an answer", () => askUnix(path).catch(() => null));
    const { uid, gid, mode } = statSync(path);
    expect([uid, gid, mode & 0o777]).toEqual([65_534, 1, 0o700]);
    expect(await server.stop()).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test("what a killed server has left is replaced; what a live one has is not", async () => {
    const folder = newFolder();
    const bind = [`unix:${folder}/app.sock`];
    const path = `${folder}/app.sock`;
    {
      await using first = start({ files, bind });
      await until("an answer", () => askUnix(path).catch(() => null));
      first.kill("SIGKILL");
      await first.process.exited;
      await until("the workers to leave", () => isRefused(path));
    }
    expect(statSync(path).isSocket()).toBe(true);
    await using second = start({ files, bind });
    const { pid } = await until("an answer", () => facts(askUnix(path)).catch(() => null));
    await using third = start({ files, bind });
    expect(await third.process.exited).toBe(1);
    expect(third.log.match(/Connection in use: \S+app\.sock/g)).toHaveLength(5);
    // While other sockets come and go, a look into the kernel's table can miss one.
    expect(third.log).toMatch(/app\.sock, held by \S+ \(pid:\d+\) and \d+ other process/);
    expect(third.log).toContain(`\nError: Can't connect to ${path}: it is in use`);
    expect(third.log).toEndWith("; choose another with -b ADDRESS\n");
    expect((await facts(askUnix(path))).pid).toBe(pid);
    expect(await second.stop()).toBe(0);
    expect(existsSync(path)).toBe(false);
  }, 120_000);

  test.each([
    [
      ["unix:app.ts"],
      [],
      "Error: --bind: 'app.ts' is not a socket, and won't be replaced by one\n",
    ],
    [[`unix:/${"x".repeat(200)}`], [], /^Error: .* has at most 10\d bytes, \/x{200} has 201\n$/m],
    [
      ["fd://9"],
      [],
      "Error: --bind: fd://9 is not a listening socket that this process inherited\n",
    ],
    [
      ["unix:app.sock"],
      ["-k", "serve"],
      "Error: --bind: unix:app.sock: worker class serve can't take over sockets, use --worker-class async\n",
    ],
    [["fd://3"], ["-k", "serve"], "Error: --bind: fd://3: worker class serve can't take over"],
  ] as [string[], string[], string | RegExp][])("%p is refused", async (bind, args, says) => {
    await using server = start({ files, bind, args });
    expect(await server.process.exited).toBe(1);
    await until("the whole log", () => server.log.endsWith("\n"));
    if (typeof says === "string") expect(server.log).toContain(says);
    else expect(server.log).toMatch(says);
    expect(await Bun.file(join(server.folder, "app.ts")).text()).toBe(app);
  });

  test("HUP from TCP to unix and back: what is under way ends well, and the file goes", async () => {
    const config = (bind: string) => `export const bind = [${JSON.stringify(bind)}];\n`;
    await using server = start({
      files: { ...files, "gunicorn.conf.ts": config("127.0.0.1:0") },
      bind: [],
      args: ["-w", "2"],
    });
    const path = join(server.folder, "app.sock");
    const rebind = async (bind: string, listening: RegExp): Promise<string> => {
      const at = server.log.length;
      await Bun.write(join(server.folder, "gunicorn.conf.ts"), config(bind));
      server.kill("SIGHUP");
      const end = await server.logged(listening, at);
      return listening.exec(server.log.slice(at, end))?.[1] ?? "";
    };
    await serving(server);
    const before = await server.settled(2);
    const slowByTcp = fetch(`${server.url}/slow`).then((response) => response.text());
    await server.logged("slow begins");
    const at = server.log.length;
    await rebind("unix:app.sock", /Listening at: (unix:app\.sock)/);
    await until("an answer", () => askUnix(path).catch(() => null));
    server.go();
    expect(await slowByTcp).toBe("slow ends");
    await until("the old ones to go", () => !server.workers().some((pid) => before.includes(pid)));
    rmSync(join(server.folder, "go"));
    const slowByUnix = askUnix(path, "/slow");
    await server.logged("slow begins", at);
    const url = await rebind("127.0.0.1:0", /Listening at: (http:\S+)/);
    await until("the file to go", () => !existsSync(path));
    server.go();
    expect(await slowByUnix).toBe("slow ends");
    expect(await (await fetch(url, { keepalive: false })).text()).toContain('"env":[]');
    expect(await server.stop()).toBe(0);
  });

  test("TERM while workers boot: what waits in the queue is served before they leave", async () => {
    const late = `${waitsForGo}
      export const fetch = () => new Response("ok");`;
    await using server = start({ files: { "app.ts": late }, bind: ["unix:app.sock"] });
    const path = join(server.folder, "app.sock");
    await server.logged("Booting worker");
    const waiting = await Promise.all(
      Array.from({ length: 10 }, () => RawClient.connect({ unix: path })),
    );
    for (const client of waiting) client.send(get("/", "Connection: close"));
    server.kill("SIGTERM");
    await until("the file to go", () => !existsSync(path));
    server.go();
    for (const client of waiting) {
      const { status, complete } = await client.answer();
      expect([status, complete, await client.ended()]).toEqual([200, true, "fin"]);
    }
    expect(await server.process.exited).toBe(0);
  });
});

test("a hook that throws when the server listens leaves no socket file", async () => {
  await using server = start({
    files: {
      "app.ts": app,
      "gunicorn.conf.ts": `export const whenReady = () => { throw new Error("no"); };`,
    },
    bind: ["unix:app.sock"],
  });
  expect(await server.process.exited).toBe(1);
  expect(existsSync(join(server.folder, "app.sock"))).toBe(false);
});
