import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeActivation } from "../../../src/listen/activation.ts";
import { planHandover } from "../../../src/listen/handover.ts";
import { Listeners } from "../../../src/listen/listeners.ts";
import { fcntl } from "../../../src/os/libc.ts";
import { duplicateFd } from "../../../src/os/sockets/socket-options.ts";
import {
  addressOf,
  ask,
  askUnix,
  closing,
  fdsOf,
  onLinux,
  openListeners,
  openOptions,
  portOf,
  serve,
} from "../../support/listeners.ts";

const F_GETFD = 1;

/** What another master would inherit: copies of all sockets, in the order of GUNICORN_FD. */
function inherited(listeners: Listeners): number[] {
  const { stdio, env } = listeners.handover(process.pid);
  const numbers = (env["GUNICORN_FD"] ?? "").split(",").map(Number);
  return numbers.map((number) => duplicateFd(Number(stdio[number - 3])));
}

async function adopting(
  fds: readonly number[],
  binds: readonly string[],
  slots: number,
  secure: readonly number[] = [],
): Promise<Listeners> {
  const listeners = closing(new Listeners());
  listeners.adopt(fds, secure);
  await listeners.open(binds.map(addressOf), slots, openOptions);
  return listeners;
}

function isOpen(fd: number): boolean {
  try {
    fcntl(fd, F_GETFD, 0);
    return true;
  } catch {
    // EBADF is the answer.
    return false;
  }
}

describe.if(onLinux)("Listeners.adopt()", () => {
  test("gives each slot the socket that it had in the old master", async () => {
    const old = await openListeners(["127.0.0.1:0", "[::1]:0"], 3);
    const ports = [portOf(old, 0), portOf(old, 1)];
    const fds = inherited(old);
    const binds = [`127.0.0.1:${ports[0]}`, `[::1]:${ports[1]}`];
    const young = await adopting(fds, binds, 3);
    expect(young.urls).toEqual(old.urls);
    expect([0, 1, 2].map((slot) => fdsOf(young, slot))).toEqual([
      [fds[0]!, fds[3]!],
      [fds[1]!, fds[4]!],
      [fds[2]!, fds[5]!],
    ]);
    for (let slot = 0; slot < 3; slot++) serve(fdsOf(young, slot)[0] ?? -1, `slot ${slot}`);
    young.steer([1]);
    expect(await ask("127.0.0.1", ports[0] ?? 0)).toBe("slot 0");
  });

  test.each([
    ["https", "http"],
    ["http", "https"],
  ])("an upgrade can't make of %s %s: the old master serves there", async (was, is) => {
    const old = await openListeners([`${was}://127.0.0.1:0`], 2);
    const port = portOf(old);
    const young = (scheme: string) => {
      const fds = inherited(old);
      return adopting(fds, [`${scheme}://127.0.0.1:${port}`], 2, was === "https" ? fds : []);
    };
    await expect(young(is)).rejects.toThrow(`bind: 127.0.0.1:${port}: can't change from ${was}`);
    expect((await young(was)).urls).toEqual(old.urls);
  });

  test("keeps as many slots as the old master had, whatever is wanted", async () => {
    const old = await openListeners(["127.0.0.1:0"], 2);
    for (const wanted of [1, 2, 5]) {
      const young = await adopting(inherited(old), [`127.0.0.1:${portOf(old)}`], wanted);
      expect(young.slots).toBe(2);
      if (wanted < 5) continue;
      young.addSlot();
      // No new connection reaches the third before steer() says so.
      const [fd = -1] = fdsOf(young, 2);
      serve(fdsOf(young, 0)[0] ?? -1, "old");
      serve(fdsOf(young, 1)[0] ?? -1, "old");
      for (let count = 0; count < 20; count++) {
        expect(await ask("127.0.0.1", portOf(old))).toBe("old");
      }
      expect(fcntl(fd, F_GETFD, 0)).toBe(1);
    }
  });

  test("finds what names and spellings stand for", async () => {
    const old = await openListeners(["localhost:0", "[0:0:0:0:0:0:0:1]:0"], 1);
    const [fd4 = -1, fd6 = -1] = inherited(old);
    const binds = [`[::1]:${portOf(old, 1)}`, `localhost:${portOf(old, 0)}`];
    const young = await adopting([fd4, fd6], binds, 1);
    expect(fdsOf(young, 0)).toEqual([fd6, fd4]);
  });

  test("gives port 0 what no other address wants", async () => {
    const old = await openListeners(["127.0.0.1:0", "127.0.0.1:0"], 1);
    const [first = -1, second = -1] = inherited(old);
    const binds = ["127.0.0.1:0", `127.0.0.1:${portOf(old, 0)}`];
    const young = await adopting([first, second], binds, 1);
    expect(fdsOf(young, 0)).toEqual([second, first]);
  });

  test("opens what is missing, and closes what nobody wants without harm to the old master", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "adopt-")), "app.sock");
    const old = await openListeners(["127.0.0.1:0", "127.0.0.2:0", `unix:${path}`], 2);
    const fds = inherited(old);
    const young = await adopting(fds, [`127.0.0.1:${portOf(old)}`, "[::1]:0"], 2);
    expect(fdsOf(young, 1)[0]).toBe(fds[1]!);
    expect(young.forSlot(1)[1]?.url).toStartWith("http://[::1]:");
    expect(fds.map(isOpen)).toEqual([true, true, false, false, false]);
    young.close(true);
    for (const [index, fd] of fdsOf(old, 0).entries()) serve(fd, `old ${index}`);
    serve(fdsOf(old, 1)[1] ?? -1, "old 1");
    expect(await ask("127.0.0.2", portOf(old, 1))).toBe("old 1");
    expect(await askUnix(path)).toBe("old 2");
  });

  test("takes a unix socket over with its file", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "adopt-")), "app.sock");
    const old = await openListeners([`unix:${path}`], 1);
    const young = await adopting(inherited(old), [`unix:${path}`], 3);
    expect(young.urls).toEqual([`unix:${path}`]);
    expect([young.slots, fdsOf(young, 2)]).toEqual([3, fdsOf(young, 0)]);
    old.close(true);
    expect(existsSync(path)).toBe(true);
    young.close(false);
    expect(existsSync(path)).toBe(false);
  });

  test("shares a socket without SO_REUSEPORT", async () => {
    const old = await openListeners(["127.0.0.1:0"], 2, { kind: "shared" });
    const young = await adopting(inherited(old), [`127.0.0.1:${portOf(old)}`], 2);
    expect([young.slots, fdsOf(young, 0)]).toEqual([2, fdsOf(young, 1)]);
  });

  test("keeps the port of worker class serve, and takes no socket of another class for it", async () => {
    const old = await openListeners(["127.0.0.1:0"], 2, { kind: "reserved" });
    const bind = `127.0.0.1:${portOf(old)}`;
    const [fd = -1] = inherited(old);
    const young = closing(new Listeners());
    young.adopt([fd]);
    await young.open([addressOf(bind)], 2, { ...openOptions, kind: "reserved" });
    expect(fdsOf(young, 1)).toEqual([fd]);
    const [other = -1] = inherited(old);
    const changed = await adopting([other], [bind], 2);
    expect(changed.urls).toEqual(young.urls);
    expect(fdsOf(changed, 0)).not.toEqual(fdsOf(changed, 1));
    expect(isOpen(other)).toBe(false);
  });

  test("refuses what isn't a server's socket", async () => {
    const failure = adopting([2], ["127.0.0.1:0"], 1);
    await expect(failure).rejects.toThrow("GUNICORN_FD: 2 is not a listening socket");
  });

  test("a reload later treats the sockets as any others", async () => {
    const old = await openListeners(["127.0.0.1:0"], 2);
    const bind = `127.0.0.1:${portOf(old)}`;
    const young = await adopting(inherited(old), [bind], 2);
    const before = fdsOf(young, 1);
    await young.open([bind, "[::1]:0"].map(addressOf), 2, openOptions);
    expect(young.forSlot(1).map(({ fd }) => fd)[0]).toBe(before[0]!);
    expect(young.urls).toHaveLength(2);
  });
});

describe("planHandover()", () => {
  const group = (fds: number[], fd: number | null = null) => {
    const address = fd === null ? addressOf("127.0.0.1:0") : addressOf(`fd://${fd}`);
    const bound = { type: "unix", path: "", file: null } as const;
    return { address, bound, url: "", kind: "slots", fds, foreign: fd !== null } as const;
  };
  test("numbers sockets from 3 on, address by address and slot by slot", () => {
    expect(planHandover([group([20, 21]), group([9])], 0, 77)).toEqual({
      stdio: [20, 21, 9],
      env: { GUNICORN_FD: "3,4,5" },
    });
  });
  test("leaves a socket that came with the start its number", () => {
    expect(planHandover([group([20, 21]), group([4], 4), group([7], 7)], 0, 77)).toEqual({
      stdio: [20, 4, 21, "ignore", 7],
      env: { GUNICORN_FD: "3,5,4,7" },
    });
  });
  test("tells the new master which are TLS", () => {
    const secure = { ...group([22, 23]), address: addressOf("https://127.0.0.1:0") };
    expect(planHandover([group([20]), secure], 0, 77)).toEqual({
      stdio: [20, 22, 23],
      env: { GUNICORN_FD: "3,4,5", GUNICORN_TLS_FD: "4,5" },
    });
  });
  test("tells the new master of systemd's", () => {
    expect(planHandover([group([3], 3), group([4], 4)], 2, 77)).toEqual({
      stdio: [3, 4],
      env: { GUNICORN_FD: "3,4", LISTEN_PID: "77", LISTEN_FDS: "2" },
    });
  });
  test("has nothing to say of nothing", () => {
    expect(planHandover([], 0, 77)).toEqual({ stdio: [], env: { GUNICORN_FD: "" } });
  });
});

describe("takeActivation()", () => {
  const plain = { chdir: "/srv", certfile: null, keyfile: null, tls: [] };
  const systemd = { LISTEN_PID: "77", LISTEN_FDS: "2", LISTEN_FDNAMES: "a:b", HOME: "/" };
  const both = [
    { type: "fd", fd: 3, secure: false },
    { type: "fd", fd: 4, secure: false },
  ] as const;

  test("takes the sockets from 3 on, and the variables out of the environment", () => {
    const env = { ...systemd };
    expect(takeActivation(env, 77)).toEqual({ addresses: [...both], warning: null });
    expect(env as object).toEqual({ HOME: "/" });
  });

  test("of the old master, after USR2", () => {
    expect(takeActivation({ ...systemd }, 78, 77).addresses).toEqual([...both]);
  });

  test("says so when they are for another process", () => {
    const env = { ...systemd };
    expect(takeActivation(env, 78)).toEqual({
      addresses: null,
      warning:
        "Sockets of systemd ignored: LISTEN_PID is 77, and this process is 78. Start it directly, not by a shell, npx or bunx",
    });
    expect(env as object).toEqual({ HOME: "/" });
  });

  test("is nothing without the variables, or without sockets", () => {
    const nothing = { addresses: null, warning: null };
    expect(takeActivation({}, 77)).toEqual(nothing);
    expect(takeActivation({ LISTEN_PID: "77" }, 77)).toEqual(nothing);
    expect(takeActivation({ LISTEN_PID: "77", LISTEN_FDS: "0" }, 77)).toEqual(nothing);
    expect(() => takeActivation({ LISTEN_PID: "77", LISTEN_FDS: "x" }, 77)).toThrow(
      "LISTEN_FDS: must be a number, got 'x'",
    );
  });

  test("takes the place of all binds", () => {
    const config = { ...plain, bind: ["127.0.0.1:0", "unix:a"] };
    expect(new Listeners([...both]).addresses(config)).toEqual([...both]);
    expect(new Listeners().addresses(config)).toEqual([
      { type: "tcp", hostname: "127.0.0.1", port: 0, family: 4, secure: false },
      { type: "unix", path: "/srv/a", text: "a", secure: false },
    ]);
  });

  test("sockets of systemd are TLS with a certificate, whatever bind says", () => {
    const config = { ...plain, certfile: "a.pem", bind: ["https://127.0.0.1:0", "127.0.0.1:0"] };
    const secure = new Listeners([...both]).addresses(config).map((address) => address.secure);
    expect(secure).toEqual([true, true]);
  });
});
