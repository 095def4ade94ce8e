/** Renewed certificates reach new connections, whatever the way in which the files are replaced; nobody is cut. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Certificates, type Made } from "../support/certificates.ts";
import { Load } from "../support/loads/load.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { RawClient } from "../support/raw-client.ts";
import { nameServed, namesServed, type Renewal, renewals } from "../support/renewals.ts";
import {
  type RunningServer,
  type ServerOptions,
  start,
  until,
  waitsForGo,
} from "../support/server.ts";
import { dawdle } from "../support/dawdle.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const [first, second, third] = ["one.test", "two.test", "three.test"].map((name) =>
  certificates.make({ name }),
) as [Made, Made, Made];

const limitMs = 180_000;
const app = `export const fetch = () => new Response("ok", { headers: { "x-pid": process.pid } });`;
const [byCopy] = renewals as readonly [Renewal];

interface Options extends ServerOptions {
  readonly made?: Made;
}

/** With the first certificate, where the way of renewal has it. */
async function serving(way: Renewal = byCopy, options: Options = {}): Promise<RunningServer> {
  const { made = first, args = [], ...rest } = options;
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-tls-"));
  way.place(folder, made);
  const pair = ["--certfile", way.certfile, "--keyfile", way.keyfile];
  const server = start({
    files: { "app.ts": app },
    folder,
    args: [...pair, "-w", "2", ...args],
    ...rest,
  });
  await server.logged("Using worker:");
  await until(`an answer; log:\n${server.log}`, () =>
    server.fetch().then(
      () => true,
      () => false,
    ),
  );
  await until("both workers", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.fetch()));
    return new Set(answers.map(({ headers }) => headers.get("x-pid"))).size === 2;
  });
  return server;
}

/** @param resets a worker of serve that leaves resets what it has accepted and not read */
async function servesOnly(server: RunningServer, name: string, resets = false): Promise<void> {
  await until(
    `${name} of all workers`,
    async () => {
      const names = await namesServed(server.port).catch((error: NodeJS.ErrnoException) => {
        if (resets && error.code === "ECONNRESET") return [];
        throw error;
      });
      return names.length === 1 && names[0] === name;
    },
    limitMs / 2,
  );
}

/** Lines of a kind, without what differs. */
function lines(server: RunningServer, pattern: RegExp): string[] {
  return server.log
    .split("\n")
    .filter((line) => pattern.test(line))
    .map((line) => line.replace(/^.*\] /, ""));
}

test.each(renewals.map((way) => [way.name, way] as const))(
  "%s: new connections get the new certificate, old ones go on, no worker is replaced",
  async (_, way) => {
    await using server = await serving(way);
    const workers = server.workers();
    const kept = await RawClient.connect(server);
    expect(await namesServed(server.port)).toEqual(["one.test"]);
    for (const [index, made] of [second, third].entries()) {
      const name = ["two.test", "three.test"][index] as string;
      way.renew(server.folder, made, index + 1);
      await server.logged(`TLS certificate renewed: CN=${name} (${name}), valid until `);
      await servesOnly(server, name);
      expect((await kept.ask("GET / HTTP/1.1\r\nHost: test\r\n\r\n")).status).toBe(200);
    }
    kept[Symbol.dispose]();
    expect(server.workers()).toEqual(workers);
    expect(lines(server, /renewed/)).toHaveLength(2);
    expect(lines(server, /\[(WARNING|ERROR)\]/)).toEqual([]);
    expect(await server.stop()).toBe(0);
  },
  limitMs,
);

const unusable: readonly (readonly [name: string, (folder: string) => void, problem: RegExp])[] = [
  ["of another key", (folder) => writeFileSync(join(folder, "cert.pem"), second.chain), /key/],
  [
    "half written",
    (folder) => writeFileSync(join(folder, "cert.pem"), second.chain.slice(0, 300)),
    /certfile/,
  ],
  ["empty", (folder) => writeFileSync(join(folder, "cert.pem"), ""), /certfile/],
  ["gone", (folder) => rmSync(join(folder, "cert.pem")), /certfile/],
  [
    "a folder",
    (folder) => {
      rmSync(join(folder, "cert.pem"));
      mkdirSync(join(folder, "cert.pem"));
    },
    /certfile/,
  ],
];

test.each(unusable)(
  "a certificate that is %s is left alone, told once, and the next change is taken",
  async (_, spoil, problem) => {
    await using server = await serving();
    spoil(server.folder);
    const told = "TLS certificates aren't renewed, those of before stay: ";
    const from = await server.logged(told);
    expect(await namesServed(server.port)).toEqual(["one.test"]);
    expect(lines(server, /renewed/)[0]).toMatch(problem);
    // The same again is no news.
    writeFileSync(join(server.folder, "key.pem"), first.key);
    server.kill("SIGHUP");
    await server.logged("Reload failed, the running workers stay: ", from);
    expect(await namesServed(server.port)).toEqual(["one.test"]);
    rmSync(join(server.folder, "cert.pem"), { recursive: true, force: true });
    byCopy.renew(server.folder, third, 1);
    await servesOnly(server, "three.test");
    expect(lines(server, /aren't renewed/)).toHaveLength(1);
    expect(await server.stop()).toBe(0);
  },
  limitMs,
);

test(
  "a pair whose halves come one after the other is taken when it is whole, and nothing is said",
  async () => {
    await using server = await serving();
    writeFileSync(join(server.folder, "cert.pem"), second.chain);
    // Time enough for a look at it.
    await dawdle(1000);
    writeFileSync(join(server.folder, "key.pem"), second.key);
    await servesOnly(server, "two.test");
    expect(lines(server, /\[(WARNING|ERROR)\]/)).toEqual([]);
  },
  limitMs,
);

test(
  "HUP: a renewed certificate comes with the new workers, under load; tls_watch can be off",
  async () => {
    await using server = await serving(byCopy, { args: ["--no-tls-watch"] });
    const load = new Load({ port: server.port, secure: true, fresh: 2, kept: 2, expected: "ok" });
    const before = server.workers();
    byCopy.renew(server.folder, second, 1);
    await load.more(100);
    expect(await namesServed(server.port)).toEqual(["one.test"]);
    server.kill("SIGHUP");
    await until("new workers", () => server.workers().every((pid) => !before.includes(pid)));
    await servesOnly(server, "two.test");
    writeFileSync(join(server.folder, "cert.pem"), "");
    server.kill("SIGHUP");
    await server.logged("Reload failed, the running workers stay: --certfile: ");
    await load.more(100);
    expect(await namesServed(server.port)).toEqual(["two.test"]);
    expect((await load.stop()).failures).toEqual([]);
    expect(lines(server, /TLS/)).toEqual([
      expect.stringMatching(
        /^TLS certificate: CN=one.test \(one.test\), valid until \d{4}-\d\d-\d\dT[\d:]+Z$/,
      ),
      expect.stringMatching(/^TLS certificate renewed: CN=two.test/),
    ]);
  },
  limitMs,
);

test(
  "-k serve: workers are replaced one after the other, and nobody else hears of it",
  async () => {
    await using server = await serving(byCopy, {
      args: ["-k", "serve", "--max-restarting-workers", "1"],
    });
    const before = server.workers();
    byCopy.renew(server.folder, second, 1);
    await servesOnly(server, "two.test", true);
    await until("successors only", () => server.workers().every((pid) => !before.includes(pid)));
    expect(server.workers()).toHaveLength(2);
    expect(lines(server, /\[(WARNING|ERROR)\] (?!Workers of class serve)/)).toEqual([]);
  },
  limitMs,
);

test(
  "a reload or an upgrade that would serve plain HTTP at the same socket is refused",
  async () => {
    const files = {
      "app.ts": app,
      "binds.json": `["https://127.0.0.1:0"]`,
      "gunicorn.conf.ts": `import { readFileSync } from "node:fs";
export const bind = JSON.parse(readFileSync("binds.json", "utf8"));
`,
    };
    await using server = await serving(byCopy, { files, bind: [] });
    const refused = `gunicorn.conf.ts: bind: 127.0.0.1:${server.port}: can't change from https to http while workers serve there`;
    const binds = ["http://127.0.0.1:0", "https://127.0.0.1:0"];
    writeFileSync(join(server.folder, "binds.json"), JSON.stringify(binds));
    server.kill("SIGHUP");
    await server.logged(`Reload failed, the running workers stay: ${refused}`);
    server.kill("SIGUSR2");
    await server.logged(`Error: ${refused}`);
    await server.logged("exited with code 1, this one is the only one again");
    expect(await namesServed(server.port)).toEqual(["one.test"]);
    writeFileSync(join(server.folder, "binds.json"), JSON.stringify(binds.toReversed()));
    server.kill("SIGHUP");
    await server.logged(/Listening at: https:\S+,http:/);
    await servesOnly(server, "one.test");
  },
  limitMs,
);

test(
  "a new master serves with what the files hold by now",
  async () => {
    await using server = await serving(byCopy, { args: ["--no-tls-watch"] });
    byCopy.renew(server.folder, second, 1);
    server.kill("SIGUSR2");
    const from = await server.logged(/Starting gunicorn-ts[^]*Starting gunicorn-ts/);
    await server.logged("TLS certificate: CN=two.test", from);
    server.kill("SIGQUIT");
    await server.logged("Master has been promoted.");
    await servesOnly(server, "two.test");
  },
  limitMs,
);

test(
  "a worker that still loads its app when certificates are renewed serves with the new ones",
  async () => {
    const files = {
      "app.ts": `${waitsForGo}\n${app}`,
      "cert.pem": first.chain,
      "key.pem": first.key,
    };
    const args = ["--certfile", "cert.pem", "--keyfile", "key.pem"];
    await using server = start({ files, args });
    await server.logged("Booting worker");
    byCopy.renew(server.folder, second, 1);
    await server.logged("TLS certificate renewed: CN=two.test");
    server.go();
    await until("an answer", () => nameServed(server.port).catch(() => null));
    await servesOnly(server, "two.test");
  },
  limitMs,
);

const isolated = ["unshare", "--user", "--map-root-user", "sh", "-c"];
const withoutInotify = "echo 0 > /proc/sys/user/max_inotify_instances";
const mayUnshare = Bun.spawnSync([...isolated, withoutInotify]).exitCode === 0;

test.skipIf(!mayUnshare)(
  `where the kernel has no inotify left, the files are looked at now and then${mayUnshare ? "" : " (needs user namespaces)"}`,
  async () => {
    const through = [...isolated, `${withoutInotify} && exec "$0" "$@"`];
    await using server = await serving(byCopy, { through });
    await server.logged("tls_watch: changes are looked for every 10 s only: EMFILE");
    byCopy.renew(server.folder, second, 1);
    await servesOnly(server, "two.test");
    expect(lines(server, /looked for/)).toHaveLength(1);
  },
  limitMs,
);

test.skipIf(!isRoot)(
  `the key stays root's alone, and workers are somebody else${needsRoot}`,
  async () => {
    await using server = await serving(byCopy, {
      args: ["--user", "nobody", "--group", "nogroup"],
    });
    byCopy.renew(server.folder, second, 1);
    await servesOnly(server, "two.test");
  },
  limitMs,
);

test.each([
  [10, "WARNING", /^TLS certificate expires in (9|10) days, on \S+Z: CN=soon.test \(soon.test\)$/],
  [200, null, null],
])(
  "a certificate with %d days left",
  async (until, level, line) => {
    const made = certificates.make({ name: "soon.test", until });
    await using server = await serving(byCopy, { made });
    const found = lines(server, /\[(WARNING|ERROR)\]/);
    if (line === null) return expect(found).toEqual([]);
    expect(found).toEqual([expect.stringMatching(line)]);
    expect(server.log).toContain(`[${level}] TLS`);
  },
  limitMs,
);
