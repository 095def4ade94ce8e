/** The control socket itself: who may, what clients can't do to the master, and where it is over reloads and upgrades. */
import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { encodeFrame, FrameReader } from "../../src/control/frames.ts";
import { descriptorsOf } from "../support/descriptors.ts";
import { ctl, ctlData } from "../support/ctl.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import {
  gunicorn,
  patienceMs,
  program,
  type RunningServer,
  type ServerOptions,
  start,
  until,
} from "../support/server.ts";
import { asNobody, canBeNobody, folderForAll } from "../support/unprivileged.ts";
import { latestMaster } from "../support/upgrades.ts";

const limitMs = 180_000;
const app = `export const fetch = () => new Response("ok");`;

function controlled({ args = [], files = {}, ...rest }: ServerOptions = {}) {
  return gunicorn({
    files: { "app.ts": app, ...files },
    args: ["--control-socket", "app.ctl", ...args],
    ...rest,
  });
}

/** A connection to the socket; what comes is collected. */
class Peer implements Disposable {
  readonly socket: Socket;
  readonly #reader = new FrameReader(1 << 24);
  readonly answers: unknown[] = [];
  closed = false;

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on("data", (bytes) => {
      this.#reader.push(Buffer.from(bytes));
      for (let frame = this.#reader.next(); frame.type === "message"; frame = this.#reader.next())
        this.answers.push(frame.message);
    });
    // EPIPE, ECONNRESET: the server has closed.
    this.socket.on("error", () => {});
    this.socket.on("close", () => void (this.closed = true));
  }

  /** The answers, once there are so many. */
  async answered(count: number): Promise<unknown[]> {
    return until(`${count} answers`, () => (this.answers.length >= count ? this.answers : null));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const socketOf = ({ folder }: RunningServer) => join(folder, "app.ctl");
const show = encodeFrame({ id: "x", command: "show stats" });

async function stillAnswers(server: RunningServer, folder = server.folder): Promise<void> {
  expect((await ctl({ folder }, "show stats -s app.ctl")).code).toBe(0);
  expect(await (await server.fetch()).text()).toBe("ok");
}

describe("a stranger", () => {
  test.skipIf(!canBeNobody || !isRoot)(
    `is refused, whatever the mode of the socket, and root isn't${needsRoot}`,
    async () => {
      const folder = folderForAll();
      await using server = await controlled({ args: ["--control-socket-mode", "0666"], folder });
      expect(lstatSync(socketOf(server)).mode & 0o777).toBe(0o666);
      const refused = await ctl(server, "shutdown -s app.ctl", { through: asNobody });
      expect(refused).toEqual({
        code: 1,
        out: "",
        err: "Error: Refused: only user 0 and root may, not user 65534\n",
      });
      await ctl(server, "show stats -s app.ctl", { through: asNobody });
      await stillAnswers(server);
      expect(server.log.match(/Control socket: refused user 65534/g)).toHaveLength(1);
    },
    limitMs,
  );

  test.skipIf(!canBeNobody || !isRoot)(
    `can't connect by default${needsRoot}`,
    async () => {
      await using server = await controlled({ folder: folderForAll() });
      const { code, err } = await ctl(server, "shutdown -s app.ctl", { through: asNobody });
      expect([code, err]).toEqual([3, expect.stringContaining("Failed to connect")]);
      await stillAnswers(server);
    },
    limitMs,
  );

  test.skipIf(!canBeNobody || !isRoot)(
    `is whom the server doesn't run as: root may control another user's${needsRoot}`,
    async () => {
      await using server = await controlled({ folder: folderForAll(), through: asNobody });
      expect((await ctl(server, "show stats", { through: asNobody })).code).toBe(0);
      expect((await ctl(server, "show stats")).code).toBe(0);
    },
    limitMs,
  );
});

describe("a client", () => {
  const refusals: [what: string, bytes: Uint8Array, error: string][] = [
    [
      "a MiB of text",
      Buffer.alloc(1 << 20, "x"),
      "a frame has at most 65536 bytes, got 2021161080",
    ],
    ["what isn't JSON", Buffer.from([0, 0, 0, 2, 0x7b, 0x7b]), "a frame holds JSON"],
  ];
  test.each(refusals)(
    "that sends %s hears why, and is done",
    async (_what, bytes, error) => {
      await using server = await controlled();
      using peer = new Peer(socketOf(server));
      peer.socket.write(bytes);
      expect(await peer.answered(1)).toMatchObject([{ status: "error", error }]);
      await until("the end", () => peer.closed);
      await stillAnswers(server);
    },
    limitMs,
  );

  test(
    "may ask again and again, and leave in the middle",
    async () => {
      await using server = await controlled();
      using peer = new Peer(socketOf(server));
      for (let count = 1; count <= 3; count += 1) {
        peer.socket.write(show);
        expect((await peer.answered(count)).at(-1)).toMatchObject({
          id: "x",
          status: "ok",
          version: 1,
        });
      }
      for (const part of [show.subarray(0, 2), show.subarray(0, 20), show]) {
        using leaving = new Peer(socketOf(server));
        await until("the connection", () => !leaving.socket.connecting);
        await new Promise((resolve) => leaving.socket.write(part, resolve));
      }
      await stillAnswers(server);
      await until(
        "its connections closed",
        () => socketCount(server.pid) <= socketCountAtRest(server) + 1,
      );
    },
    limitMs,
  );

  test(
    "and a thousand others who are silent make room for one who speaks",
    async () => {
      await using server = await controlled();
      const before = socketCount(server.pid);
      const silent: Peer[] = [];
      try {
        for (let count = 0; count < 1000; count += 1) {
          const peer = new Peer(socketOf(server));
          silent.push(peer);
          await until("a connection", () => !peer.socket.connecting || peer.closed);
        }
        await stillAnswers(server);
        await until("few left", () => socketCount(server.pid) <= before + 40);
        expect(await (await server.fetch()).text()).toBe("ok");
      } finally {
        for (const peer of silent) peer[Symbol.dispose]();
      }
      await until("none left", () => socketCount(server.pid) <= before);
    },
    limitMs,
  );

  test(
    "that doesn't read its answers holds up nobody",
    async () => {
      await using server = await controlled();
      using peer = new Peer(socketOf(server));
      peer.socket.pause();
      for (let count = 0; count < 200; count += 1) peer.socket.write(show);
      for (let count = 0; count < 3; count += 1) await stillAnswers(server);
    },
    limitMs,
  );
});

/** Sockets that a process has open. */
function socketCount(pid: number): number {
  return descriptorsOf(pid).filter(([, what]) => what.startsWith("socket:")).length;
}

const atRest = new WeakMap<RunningServer, number>();

function socketCountAtRest(server: RunningServer): number {
  const known = atRest.get(server) ?? socketCount(server.pid);
  atRest.set(server, known);
  return known;
}

describe("the path", () => {
  test(
    "of a server that was killed is taken over; of one that lives it isn't",
    async () => {
      const folder = folderForAll();
      const path = join(folder, "app.ctl");
      await using first = await gunicorn({
        files: { "app.ts": app },
        args: ["--control-socket", path],
      });
      await using second = start({ files: { "app.ts": app }, args: ["--control-socket", path] });
      expect(await second.process.exited).toBe(1);
      expect(second.log).toEndWith(
        `Error: --control-socket: ${path}: another server answers there\n`,
      );
      await stillAnswers(first, folder);
      const workers = first.workers();
      first.kill("SIGKILL");
      await first.process.exited;
      await until("its workers gone", () => workers.every((pid) => !existsSync(`/proc/${pid}`)));
      expect(existsSync(path)).toBe(true);
      await using third = await gunicorn({
        files: { "app.ts": app },
        args: ["--control-socket", path],
      });
      expect(await ctlData({ folder }, "show stats")).toMatchObject({ pid: third.pid });
    },
    limitMs,
  );

  const wrong: [claim: string, path: string, why: string][] = [
    ["has no folder", "none/app.ctl", "FOLDER/none is no folder"],
    ["is somebody's file", "app.ts", "is there, and no socket"],
    [
      "is too long",
      `${"x".repeat(200)}.ctl`,
      "the path of a socket has at most 105 bytes, got BYTES",
    ],
  ];
  test.each(wrong)(
    "that %s ends the start, is found by --check-config, and stops a reload",
    async (_claim, path, why) => {
      const folder = folderForAll();
      const full = join(folder, path);
      const text = `${full}: ${why.replace("FOLDER", folder).replace("BYTES", String(Buffer.byteLength(full)))}`;
      writeFileSync(join(folder, "app.ts"), app);
      for (const args of [[], ["--check-config"]]) {
        const child = Bun.spawn(
          [
            process.execPath,
            program,
            "-b",
            "127.0.0.1:0",
            ...args,
            "--control-socket",
            path,
            "app",
          ],
          { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
        );
        expect(await new Response(child.stderr).text()).toEndWith(
          `Error: --control-socket: ${text}\n`,
        );
        expect(await child.exited).toBe(1);
      }
      await using server = await gunicorn({ folder, files: { "app.ts": app } });
      writeFileSync(
        join(folder, "gunicorn.conf.ts"),
        `export const controlSocket = ${JSON.stringify(path)};`,
      );
      server.kill("SIGHUP");
      await server.logged(
        `Reload failed, the running workers stay: gunicorn.conf.ts: controlSocket: ${text}`,
      );
      expect(await (await server.fetch()).text()).toBe("ok");
    },
    limitMs,
  );

  test(
    "has a socket when a reload says so, moves, changes its mode, and goes",
    async () => {
      await using server = await gunicorn({ files: { "app.ts": app } });
      const configure = async (text: string) => {
        const from = server.log.length;
        writeFileSync(join(server.folder, "gunicorn.conf.ts"), text);
        server.kill("SIGHUP");
        await server.logged(/Booting worker/, from);
      };
      const [one, two] = ["one.ctl", "two.ctl"].map((name) => join(server.folder, name)) as [
        string,
        string,
      ];
      const modeOf = (path: string) => lstatSync(path).mode & 0o777;
      await configure(`export const controlSocket = "one.ctl";`);
      expect((await ctl(server, "show stats -s one.ctl")).code).toBe(0);
      await configure(`export const controlSocket = "two.ctl";`);
      expect(existsSync(one)).toBe(false);
      expect(modeOf(two)).toBe(0o600);
      expect((await ctl(server, "wait --ready -s two.ctl")).code).toBe(0);
      await configure(
        `export const controlSocket = "two.ctl"; export const controlSocketMode = 0o660;`,
      );
      expect(modeOf(two)).toBe(0o660);
      expect((await ctl(server, "wait --ready -s two.ctl")).code).toBe(0);
      await configure(
        `export const controlSocket = "two.ctl"; export const controlSocketDisable = true;`,
      );
      expect(existsSync(two)).toBe(false);
      expect(server.log.match(/Control socket listening at/g)).toHaveLength(2);
    },
    limitMs,
  );

  test(
    "that somebody has removed is there again after a reload; a socket that somebody has put there stays",
    async () => {
      await using server = await controlled();
      const path = socketOf(server);
      const listener = createServer();
      const other = join(server.folder, "other");
      await new Promise<void>((resolve) => listener.listen(other, resolve));
      unlinkSync(path);
      server.kill("SIGHUP");
      await until("the socket", () => existsSync(path));
      expect((await ctl(server, "wait --ready -s app.ctl")).code).toBe(0);
      renameSync(other, path);
      server.kill("SIGHUP");
      await server.logged(/controlSocket: .*: another server answers there/);
      expect(await server.stop()).toBe(0);
      listener.close();
      expect(existsSync(path)).toBe(true);
    },
    limitMs,
  );
});

describe("an upgrade", () => {
  test(
    "by ctl: the new master has a path of its own until the old one has gone",
    async () => {
      await using server = await controlled();
      const old = server.pid;
      expect((await ctl(server, "upgrade -s app.ctl")).out).toBe("A new master starts\n");
      await until("the new socket", () => existsSync(`${socketOf(server)}.2`));
      const next = await until("the new master", () => {
        const latest = latestMaster(server);
        return latest === old ? null : latest;
      });
      expect((await ctl(server, "wait --ready -s app.ctl.2")).code).toBe(0);
      expect(await ctlData(server, "show stats -s app.ctl.2")).toMatchObject({
        pid: next,
        understudy: true,
      });
      expect(await ctlData(server, "show stats -s app.ctl")).toMatchObject({
        pid: old,
        new_master: next,
      });
      expect(await ctl(server, "upgrade -s app.ctl")).toMatchObject({
        code: 1,
        err: `Error: A new master (pid:${next}) is there already\n`,
      });
      expect((await ctl(server, "upgrade -s app.ctl.2")).err).toBe(
        "Error: The old master is still there\n",
      );
      await ctl(server, "shutdown -s app.ctl");
      await server.logged("Master has been promoted.");
      await until("the path", () => !existsSync(`${socketOf(server)}.2`));
      expect(await ctlData(server, "show stats -s app.ctl")).toMatchObject({
        pid: next,
        understudy: false,
      });
      await ctl(server, "shutdown -s app.ctl");
      await until("the end", () => server.ended(), patienceMs);
      expect(existsSync(socketOf(server))).toBe(false);
    },
    limitMs,
  );
});

test(
  "--no-control-socket opens none, whatever a file says",
  async () => {
    const config = `export const controlSocket = "app.ctl";`;
    await using server = await gunicorn({
      files: { "app.ts": app, "gunicorn.conf.ts": config },
      args: ["--no-control-socket"],
    });
    expect(existsSync(socketOf(server))).toBe(false);
    expect(server.log).not.toContain("Control socket");
  },
  limitMs,
);

test(
  "a server without one reads nothing of it",
  async () => {
    const config = `export const whenReady = () =>
      console.error("read:", Object.keys(require.cache).filter((file) => /src.(arbiter.)?control./.test(file)).length);`;
    const files = { "app.ts": app, "gunicorn.conf.ts": config };
    await using plain = await gunicorn({ files });
    expect(plain.log).toContain("read: 0\n");
    await using other = await gunicorn({ files, args: ["--control-socket", "app.ctl"] });
    expect(other.log).toMatch(/read: [1-9]/);
  },
  limitMs,
);

test(
  "a folder for sockets that is another's ends the start in one line",
  async () => {
    const folder = folderForAll();
    mkdirSync(join(folder, "closed"), { mode: 0o555 });
    await using server = start({
      folder,
      files: { "app.ts": app },
      args: ["--control-socket", "closed/app.ctl"],
      through: asNobody,
    });
    expect(await server.process.exited).toBe(1);
    expect(server.log).toEndWith(
      `Error: --control-socket: ${folder}/closed/app.ctl: ${folder}/closed can't be written\n`,
    );
  },
  limitMs,
);
