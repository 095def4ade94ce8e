import { expect, test } from "bun:test";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProc, statusOf } from "../support/daemon.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { gunicorn, start, until } from "../support/server.ts";

const nobody = 65534;

const app = `import { readFileSync } from "node:fs";
const attempt = (work) => { try { work(); return "done"; } catch (error) { return error.code; } };
const ids = () => ({
  uid: process.getuid(), euid: process.geteuid(), gid: process.getgid(), egid: process.getegid(), groups: process.getgroups(),
});
const whileImported = ids();
export const fetch = () => Response.json({
  pid: process.pid,
  ...ids(),
  whileImported: whileImported.euid,
  home: process.env.HOME,
  shadow: attempt(() => readFileSync("/etc/shadow")),
  setuid: attempt(() => process.setuid(0)),
  seteuid: attempt(() => process.seteuid(0)),
  setgid: attempt(() => process.setgid(0)),
  setgroups: attempt(() => process.setgroups([0])),
});`;

async function ask(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url, { keepalive: false })).json()) as Record<string, unknown>;
}

test.skipIf(!isRoot).each([
  ["names", ["-u", "nobody", "-g", "nogroup"], nobody, nobody, [nobody]],
  ["numbers", ["-u", "65534", "-g", "65534"], nobody, nobody, [nobody]],
  ["numbers that no database has", ["-u", "54321", "-g", "54322"], 54321, 54322, [54322]],
  ["a user alone, who brings the group", ["-u", "daemon"], 1, 1, [1]],
  ["worker class serve", ["-u", "nobody", "-k", "serve"], nobody, nobody, [nobody]],
])(`workers change to %s, for good${needsRoot}`, async (_claim, args, uid, gid, groups) => {
  await using server = await gunicorn({ files: { "app.ts": app }, args });
  const told = await ask(server.url);
  expect(told).toEqual({
    pid: expect.any(Number),
    uid,
    euid: uid,
    gid,
    egid: gid,
    groups,
    whileImported: uid,
    home: server.folder,
    shadow: "EACCES",
    setuid: "EPERM",
    seteuid: "EPERM",
    setgid: "EPERM",
    setgroups: "EPERM",
  });
  // Every thread, and no capability is left.
  const pid = told["pid"] as number;
  const threads = readdirSync(`/proc/${pid}/task`);
  const facts = threads
    .map((id) => ["Uid", "Gid", "CapPrm"].map((name) => statusOf(`${pid}/task/${id}`, name)))
    // Those that have ended since they were listed have nothing.
    .filter((told) => !told.includes(""));
  const four = (id: number) => [id, id, id, id].join("\t");
  expect(facts.length).toBeGreaterThan(0);
  expect(facts).toEqual(facts.map(() => [four(uid), four(gid), "0".repeat(16)]));
  expect(statusOf(String(server.pid), "Uid")).toBe("0\t0\t0\t0");
  // Another master's right to signal and replace it is the same as ever.
  server.kill("SIGHUP");
  await until("a successor", async () => (await ask(server.url))["pid"] !== pid);
  expect(await server.stop()).toBe(0);
});

/** A user whom the group database lists somewhere. */
const member = isRoot
  ? /^[^:]*:[^:]*:[^:]*:([^,\n]+)/m.exec(readFileSync("/etc/group", "utf8"))?.[1]
  : undefined;

test.skipIf(member === undefined)(
  `initgroups gives workers all groups of the user${needsRoot}`,
  async () => {
    const args = ["-u", member as string, "--initgroups"];
    await using server = await gunicorn({ files: { "app.ts": app }, args });
    const expected = (await Bun.$`id -G ${member as string}`.text()).trim().split(" ").map(Number);
    const { groups } = (await ask(server.url)) as { groups: number[] };
    expect(groups.toSorted()).toEqual(expected.toSorted());
    expect(groups.length).toBeGreaterThan(1);
  },
);

test.skipIf(!isRoot)(`post_fork still is root, post_worker_init isn't${needsRoot}`, async () => {
  const config = `
    export const postFork = (server, worker) => console.error("post fork as", process.geteuid());
    export const postWorkerInit = () => console.error("post worker init as", process.geteuid());`;
  await using server = await gunicorn({
    files: { "app.ts": app, "gunicorn.conf.ts": config },
    args: ["-u", "nobody"],
  });
  await server.logged("post fork as 0\n");
  await server.logged(`post worker init as ${nobody}\n`);
});

test.skipIf(!isRoot)(`a worker that can't change doesn't serve${needsRoot}`, async () => {
  // The master may not change groups: the bounding set has no CAP_SETGID.
  await using server = start({
    files: { "app.ts": app },
    args: ["-u", "nobody"],
    through: ["setpriv", "--bounding-set=-setgid", "--inh-caps=-setgid"],
  });
  expect(await server.process.exited).toBe(3);
  expect(server.log).toContain("[ERROR] user: can't change to the groups: EPERM\n");
  expect(server.log).toContain("Reason: Worker failed to boot.");
});

test.skipIf(!isRoot).each([
  [["-u", "no-such-user"], "user: No such user: 'no-such-user'"],
  [["-g", "no-such-group"], "group: No such group: 'no-such-group'"],
  [["-u", "54321"], "user: user 54321 has no entry in the user database, name a group as well"],
])(`%j is refused at the start${needsRoot}`, async (args, message) => {
  for (const more of [[], ["--check-config"]]) {
    await using server = start({ files: { "app.ts": app }, args: [...args, ...more] });
    expect(await server.process.exited).toBe(1);
    expect(server.log).toBe(`Error: --${message}\n`);
  }
});

/** Who isn't root: whoever runs the tests, or nobody in root's place. */
const other = isRoot
  ? {
      uid: nobody,
      gid: nobody,
      through: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
    }
  : { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, through: [] };

test.each([
  [["-u", "daemon"], "user", "daemon"],
  [["-u", "0"], "user", "0"],
  [["-g", "daemon"], "group", "daemon"],
])("without root, %j is refused at the start", async (args, name, got) => {
  const { uid, gid, through } = other;
  await using server = start({ files: { "app.ts": app }, args, through });
  expect(await server.process.exited).toBe(1);
  const runs = `the server runs as user ${uid}, group ${gid}`;
  expect(server.log).toBe(`Error: --${name}: only root can change it, got '${got}', ${runs}\n`);
});

test("without root, the own user and group are taken", async () => {
  const { uid, gid, through } = other;
  const user = isRoot ? "nobody" : String(uid);
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["-u", user, "-g", String(gid), "--initgroups"],
    through,
  });
  expect(await ask(server.url)).toMatchObject({ uid, gid });
});

test.skipIf(!isRoot)(`a reload with an unknown user changes nothing${needsRoot}`, async () => {
  const config = (user: string) => `export const user = "${user}";`;
  await using server = await gunicorn({
    files: { "app.ts": app, "gunicorn.conf.ts": config("nobody") },
  });
  const { pid } = await ask(server.url);
  await Bun.write(join(server.folder, "gunicorn.conf.ts"), config("no-such-user"));
  server.kill("SIGHUP");
  await server.logged("user: No such user: 'no-such-user'");
  expect((await ask(server.url))["pid"]).toBe(pid);
  await Bun.write(join(server.folder, "gunicorn.conf.ts"), config("daemon"));
  server.kill("SIGHUP");
  await until("the other user", async () => (await ask(server.url))["uid"] === 1);
});

test("files of the app follow the umask", async () => {
  const writer = `import { writeFileSync, statSync } from "node:fs";
    export const fetch = () => {
      writeFileSync("written", "");
      return new Response((statSync("written").mode & 0o777).toString(8));
    };`;
  const before = process.umask(0o022);
  try {
    for (const [args, mode] of [
      [[], "644"],
      [["-m", "0"], "644"],
      [["-m", "0007"], "660"],
    ] as const) {
      await using server = await gunicorn({ files: { "app.ts": writer }, args });
      expect(await (await fetch(server.url)).text()).toBe(mode);
    }
  } finally {
    process.umask(before);
  }
});

test.skipIf(!isRoot)(
  `the scoreboard of root is mapped in a folder that only root can enter${needsRoot}`,
  async () => {
    const closed = mkdtempSync(join(tmpdir(), "gunicorn-ts-closed-"));
    chmodSync(closed, 0o700);
    await using server = await gunicorn({
      files: { "app.ts": app },
      args: ["-u", "nobody", "--worker-tmp-dir", closed],
    });
    const { pid } = await ask(server.url);
    expect(readProc(`${String(pid)}/maps`)).toContain("scoreboard (deleted)");
    await Bun.$`rmdir ${closed}`.quiet();
  },
);

test.skipIf(!isRoot)(
  `a reload binds what only root may, while workers are nobody${needsRoot}`,
  async () => {
    const config = (binds: string) => `export const bind = [${binds}];\n`;
    const port = 811;
    await using server = await gunicorn({
      files: { "app.ts": app, "gunicorn.conf.ts": config(`"127.0.0.1:0"`) },
      args: ["-u", "nobody", "-g", "nogroup"],
      bind: [],
    });
    const file = join(server.folder, "gunicorn.conf.ts");
    writeFileSync(file, config(`"127.0.0.1:0", "127.0.0.1:${port}", "unix:socket"`));
    server.kill("SIGHUP");
    await server.logged("Worker exiting");
    expect((await ask(`http://127.0.0.1:${port}`))["uid"]).toBe(nobody);
    const { uid, gid } = statSync(join(server.folder, "socket"));
    expect([uid, gid]).toEqual([nobody, nobody]);
    expect(await server.stop()).toBe(0);
  },
);

test("a reload that drops the umask gives back that of the start", async () => {
  const writer = `export const fetch = () => new Response(process.umask().toString(8));`;
  const config = (umask: string) => `export const umask = ${umask};\n`;
  const before = process.umask(0o027);
  try {
    await using server = await gunicorn({
      files: { "app.ts": writer, "gunicorn.conf.ts": config("0o77") },
    });
    const mask = async () => (await fetch(server.url, { keepalive: false })).text();
    expect(await mask()).toBe("77");
    writeFileSync(join(server.folder, "gunicorn.conf.ts"), config("0"));
    server.kill("SIGHUP");
    await until("the mask of the start", async () => (await mask()) === "27");
    expect(await server.stop()).toBe(0);
  } finally {
    process.umask(before);
  }
});
