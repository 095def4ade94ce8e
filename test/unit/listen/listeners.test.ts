import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListenError } from "../../../src/listen/group.ts";
import { protectInherited } from "../../../src/os/sockets/listening/protect-inherited.ts";
import type { Listeners } from "../../../src/listen/listeners.ts";
import { fcntl } from "../../../src/os/libc.ts";
import { nameOfProcess } from "../../../src/os/processes.ts";
import { hasWaiting } from "../../../src/os/sockets/listening/accept-queue.ts";
import { getOption, IPPROTO_TCP } from "../../../src/os/sockets/socket-options.ts";
import {
  addressOf,
  ask,
  cleanUp,
  fdsOf,
  onLinux,
  openListeners,
  openOptions as options,
  portOf,
  serve,
} from "../../support/listeners.ts";
import { until } from "../../support/server.ts";

const F_GETFD = 1;
const TCP_DEFER_ACCEPT = 9;
const F_SETFD = 2;

/** Who answered how often. */
async function survey(
  port: number,
  connections: number,
  host = "127.0.0.1",
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let sent = 0; sent < connections; sent += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(host, port)));
    for (const name of answers) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function serveAll(listeners: Listeners): void {
  for (let slot = 0; slot < listeners.slots; slot++)
    for (const { fd } of listeners.forSlot(slot)) serve(fd, `slot ${slot}`);
}

describe("Listeners.open()", () => {
  test.if(onLinux)("gives each slot its own socket on one port", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 3);
    const port = portOf(listeners);
    expect(port).toBeGreaterThan(0);
    const all = [0, 1, 2].flatMap((slot) => listeners.forSlot(slot));
    expect(new Set(all.map(({ fd }) => fd)).size).toBe(3);
    for (const { url, bound } of all)
      expect([url, bound]).toEqual([
        `http://127.0.0.1:${port}`,
        { type: "tcp", hostname: "127.0.0.1", port },
      ]);
    serveAll(listeners);
    expect(Object.keys(await survey(port, 100)).sort()).toEqual(["slot 0", "slot 1", "slot 2"]);
  });

  test("shares one socket without reusePort", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 3, { kind: "shared" });
    expect(fdsOf(listeners, 2)).toEqual(fdsOf(listeners, 0));
    listeners.addSlot();
    expect(fdsOf(listeners, 3)).toEqual(fdsOf(listeners, 0));
    listeners.removeTopSlot();
    expect(() => listeners.forSlot(3)).toThrow(new RangeError("no sockets for slot 3"));
    serve(fdsOf(listeners, 0)[0] ?? -1, "shared");
    expect(await ask("127.0.0.1", portOf(listeners))).toBe("shared");
  });

  test("opens v6, and several addresses in their order", async () => {
    const listeners = await openListeners(["[::1]:0", "127.0.0.1:0"], 2);
    const [v6, v4] = [portOf(listeners, 0), portOf(listeners, 1)];
    expect(listeners.urls).toEqual([`http://[::1]:${v6}`, `http://127.0.0.1:${v4}`]);
    serveAll(listeners);
    expect(await ask("::1", v6)).toStartWith("slot ");
    expect(await ask("127.0.0.1", v4)).toStartWith("slot ");
  });

  test("looks names up and takes v4 first", async () => {
    const listeners = await openListeners(["localhost:0"], 1);
    expect(listeners.urls[0]).toStartWith("http://127.0.0.1:");
  });

  test("lets [::] and 0.0.0.0 share a port", async () => {
    const free = await openListeners(["0.0.0.0:0"], 1);
    const port = portOf(free);
    free.close(false);
    const listeners = await openListeners([`[::]:${port}`, `0.0.0.0:${port}`], 2);
    expect(listeners.urls).toEqual([`http://[::]:${port}`, `http://0.0.0.0:${port}`]);
  });

  test("gives up a port in use after five attempts, each a line that names the holder", async () => {
    const port = portOf(await openListeners(["127.0.0.1:0"], 1));
    const lines: string[] = [];
    const onRetry = (message: string) => void lines.push(message);
    const failure = await openListeners([`127.0.0.1:${port}`], 1, { onRetry }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ListenError);
    const held = onLinux ? `, held by ${nameOfProcess(process.pid)} (pid:${process.pid})` : "";
    expect(String(failure)).toBe(
      `ListenError: Can't connect to ('127.0.0.1', ${port}): it is in use${held}; choose another with -b ADDRESS`,
    );
    const line = `Connection in use: ('127.0.0.1', ${port})${held}`;
    expect(lines).toEqual([...Array(4).fill(`${line}; retrying in 1 second`), line]);
  });

  test("gets the port when it becomes free between two attempts", async () => {
    const first = await openListeners(["127.0.0.1:0"], 1);
    const port = portOf(first);
    const onRetry = () => first.close(false);
    const second = await openListeners([`127.0.0.1:${port}`], 1, { onRetry });
    expect(second.urls).toEqual([`http://127.0.0.1:${port}`]);
  });

  test("stops trying when told to", async () => {
    const port = portOf(await openListeners(["127.0.0.1:0"], 1));
    const stop = new AbortController();
    const onRetry = () => stop.abort(new Error("stopping"));
    const failure = openListeners([`127.0.0.1:${port}`], 1, { onRetry, signal: stop.signal });
    await expect(failure).rejects.toThrow("stopping");
  });
});

test.if(onLinux)("Listeners defers at all of its sockets, or at none", async () => {
  const deferring = (listeners: Listeners) =>
    Array.from({ length: listeners.slots }, (_, slot) => listeners.forSlot(slot))
      .flat()
      .map(({ fd }) => getOption(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
  const binds = ["127.0.0.1:0", "[::1]:0"];
  const listeners = await openListeners(binds, 1, { deferred: true });
  listeners.addSlot();
  expect(deferring(listeners)).toEqual([true, true, true, true]);
  // Of a worker class that follows by USR2.
  await listeners.open(binds.map(addressOf), 2, options);
  expect(deferring(listeners)).toEqual([false, false, false, false]);
});

test.if(onLinux)("Listeners doesn't defer where handshakes can't be seen", () => {
  const root = join(import.meta.dir, "../../..");
  const script = `
    import { closeSync, openSync } from "node:fs";
    import { getOption } from "${root}/src/os/sockets/socket-options.ts";
    import { parseAddress } from "${root}/src/net/bind-address.ts";
    import { Listeners } from "${root}/src/listen/listeners.ts";
    const addresses = [parseAddress("127.0.0.1:0", "/")];
    const options = { backlog: 16, kind: "slots", deferred: true };
    const deferring = async (whileAsked) => {
      const listeners = new Listeners();
      const opening = listeners.open(addresses, 1, options);
      whileAsked();
      await opening;
      const [{ fd }] = listeners.forSlot(0);
      return [getOption(fd, ${IPPROTO_TCP}, ${TCP_DEFER_ACCEPT}) > 0, listeners.hasHandshakes()];
    };
    const first = await deferring(() => {});
    const held = [];
    try { for (;;) held.push(openSync("/dev/null")); } catch {}
    const second = await deferring(() => held.forEach((fd) => closeSync(fd)));
    console.log(JSON.stringify([first, second]));
  `;
  const limited = 'ulimit -n 64; exec "$0" -e "$1"';
  const { stdout, stderr } = Bun.spawnSync(["sh", "-c", limited, process.execPath, script]);
  expect(stderr.toString()).toBe("");
  expect(JSON.parse(stdout.toString())).toEqual([
    [true, false],
    [false, false],
  ]);
});

describe("Listeners.open() again", () => {
  test("keeps what stays, opens what is new, and closes the rest when told to", async () => {
    const listeners = await openListeners(["127.0.0.1:0", "[::1]:0"], 2);
    const [kept, gone] = listeners.forSlot(1);
    const gonePort = portOf(listeners, 1);
    serveAll(listeners);
    await listeners.open(["127.0.0.1:0", "127.0.0.2:0"].map(addressOf), 2, options);
    const [same, fresh] = listeners.forSlot(1);
    expect(same).toEqual(kept);
    expect(fresh?.url).toStartWith("http://127.0.0.2:");
    expect(await ask("::1", gonePort)).toStartWith("slot ");
    expect(fcntl(gone?.fd ?? -1, F_GETFD, 0)).toBe(1);
    listeners.refuseUnused(false);
    listeners.closeUnused(false);
    expect(() => fcntl(gone?.fd ?? -1, F_GETFD, 0)).toThrow("Bad file descriptor");
  });

  test("takes an address back that isn't closed yet", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 2);
    const before = [0, 1].map((slot) => fdsOf(listeners, slot));
    await listeners.open([addressOf("[::1]:0")], 2, options);
    await listeners.open([addressOf("127.0.0.1:0")], 2, options);
    expect([0, 1].map((slot) => fdsOf(listeners, slot))).toEqual(before);
  });

  test("is no more than use() when all addresses are open", async () => {
    const listeners = await openListeners(["127.0.0.1:0", "[::1]:0"], 1);
    listeners.use([addressOf("[::1]:0")], options.backlog);
    expect(listeners.urls).toEqual([`http://[::1]:${portOf(listeners)}`]);
  });

  test("what is prepared changes nothing before use(), and discard() closes it", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 2);
    const { urls } = listeners;
    const path = join(mkdtempSync(join(tmpdir(), "gunicorn-ts-prepared-")), "socket");
    const addresses = [addressOf("[::1]:0"), addressOf(`unix:${path}`)];
    const before = new Set(readdirSync("/proc/self/fd"));
    expect(await listeners.prepare(addresses, 2, options)).toBe(true);
    expect(listeners.urls).toEqual(urls);
    expect(existsSync(path)).toBe(true);
    listeners.addSlot();
    listeners.removeTopSlot();
    listeners.discard();
    expect(existsSync(path)).toBe(false);
    // What other tests have left to the garbage collector may be closed meanwhile.
    expect(readdirSync("/proc/self/fd").filter((fd) => !before.has(fd))).toEqual([]);
    expect(listeners.urls).toEqual(urls);
  });

  test.each([
    [
      "127.0.0.1:0",
      "https://127.0.0.1:0",
      /^bind: 127.0.0.1:\d+: can't change from http to https while workers serve there, stop and start the server for it$/,
    ],
    ["https://[::1]:0", "[::1]:0", /^bind: \[::1\]:\d+: can't change from https to http /],
  ])("an open address stays what it is: %s, %s", async (was, is, message) => {
    const listeners = await openListeners([was], 1);
    const { urls } = listeners;
    const change = () => listeners.prepare([addressOf("127.0.0.3:0"), addressOf(is)], 1, options);
    await expect(change()).rejects.toThrow(message);
    // Workers serve where a reload has just left, until it is refused there.
    await listeners.open([addressOf("127.0.0.2:0")], 1, options);
    await expect(change()).rejects.toThrow(message);
    await listeners.open([addressOf(was)], 1, options);
    expect(listeners.urls).toEqual(urls);
    await listeners.open([addressOf("127.0.0.2:0")], 1, options);
    listeners.refuseUnused(false);
    expect(await change()).toBe(true);
  });

  test("a slot that came after prepare() has the new sockets too", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 1);
    const addresses = [addressOf("[::1]:0")];
    expect(await listeners.prepare(addresses, 1, options)).toBe(true);
    listeners.addSlot();
    listeners.use(addresses, options.backlog);
    expect(listeners.forSlot(1)).toHaveLength(1);
    expect(await listeners.prepare(addresses, 2, options)).toBe(false);
  });

  test("still hands an earlier generation its own sockets", async () => {
    const before = ["127.0.0.1:0", "[::1]:0"].map(addressOf);
    const listeners = await openListeners(["127.0.0.1:0", "[::1]:0"], 1);
    const inherited = listeners.forSlot(0);
    await listeners.open([addressOf("127.0.0.2:0")], 1, options);
    expect(listeners.forSlot(0, before)).toEqual(inherited);
    listeners.addSlot();
    expect(listeners.forSlot(1, before)).toHaveLength(2);
    listeners.refuseUnused(false);
    listeners.closeUnused(false);
    expect(() => listeners.forSlot(0, before)).toThrow(
      new RangeError("no socket for ('127.0.0.1', 0) in slot 0"),
    );
  });

  /** Prepares the addresses and one more, whose first attempt fails; `meanwhile` comes before the second. */
  async function prepareAside(
    listeners: Listeners,
    binds: readonly string[],
    meanwhile: () => void,
  ): Promise<ReturnType<typeof addressOf>[]> {
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const addresses = [...binds, `127.0.0.1:${taken.port}`].map(addressOf);
    const onRetry = () => {
      taken.stop(true);
      meanwhile();
    };
    expect(await listeners.prepare(addresses, listeners.slots, { ...options, onRetry })).toBe(true);
    return addresses;
  }

  test.each<[what: string, meanwhile: (listeners: Listeners) => void, slots: number]>([
    ["refused", (listeners) => void listeners.refuseUnused(false), 2],
    [
      "closed",
      (listeners) => {
        listeners.refuseUnused(false);
        listeners.closeUnused(false);
      },
      2,
    ],
    ["back in use", (listeners) => listeners.use([addressOf("[::1]:0")], options.backlog), 2],
    ["left with fewer slots", (listeners) => void listeners.removeTopSlot(), 1],
    ["left with more slots", (listeners) => listeners.addSlot(), 3],
  ])(
    "an address that is %s while prepare() waits has its sockets",
    async (what, meanwhile, slots) => {
      const listeners = await openListeners(["[::1]:0"], 2);
      const before = fdsOf(listeners, 0);
      await listeners.open([addressOf("127.0.0.1:0")], 2, options);
      const wanted = ["127.0.0.2:0", "[::1]:0"];
      const addresses = await prepareAside(listeners, wanted, () => meanwhile(listeners));
      listeners.use(addresses, options.backlog);
      expect(listeners.slots).toBe(slots);
      for (let slot = 0; slot < slots; slot++) expect(listeners.forSlot(slot)).toHaveLength(3);
      expect(() => listeners.forSlot(slots)).toThrow(RangeError);
      const gone = what === "refused" || what === "closed";
      if (!gone) expect(fdsOf(listeners, 0)[1]).toBe(before[0]!);
      const port = portOf(listeners, 1);
      serveAll(listeners);
      expect(await ask("::1", port)).toStartWith("slot ");
    },
  );

  test("leaves everything as it was when one address can't be opened", async () => {
    const port = portOf(await openListeners(["127.0.0.1:0"], 1));
    const listeners = await openListeners(["127.0.0.1:0"], 2);
    const before = [0, 1].map((slot) => listeners.forSlot(slot));
    const wanted = ["[::1]:0", `127.0.0.1:${port}`].map(addressOf);
    const failure = await listeners.open(wanted, 2, options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ListenError);
    expect([0, 1].map((slot) => listeners.forSlot(slot))).toEqual(before);
    expect(listeners.urls).toHaveLength(1);
  });

  test("widens an address to all interfaces on its own port", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 1);
    const port = portOf(listeners);
    if (!onLinux) return;
    await listeners.open([addressOf(`0.0.0.0:${port}`)], 1, options);
    listeners.refuseUnused(false);
    listeners.closeUnused(false);
    serveAll(listeners);
    expect(await ask("127.0.0.1", port)).toBe("slot 0");
  });

  test("gives new addresses as many slots as there are", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 1);
    listeners.addSlot();
    await listeners.open(["127.0.0.1:0", "[::1]:0"].map(addressOf), 1, options);
    expect(listeners.forSlot(1)).toHaveLength(2);
  });
});

describe.if(onLinux)("Listeners.steer()", () => {
  test("sends new connections to the first slots only", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 3);
    serveAll(listeners);
    expect(listeners.steer([1, 1])).toBeNull();
    const counts = await survey(portOf(listeners), 200);
    expect(Object.keys(counts).sort()).toEqual(["slot 0", "slot 1"]);
    listeners.steer([1, 1, 1]);
    expect(Object.keys(await survey(portOf(listeners), 200))).toHaveLength(3);
  });

  test.each([
    [
      "none for a share of 0",
      [0, 1, 1],
      { "slot 0": [0, 0], "slot 1": [60, 140], "slot 2": [60, 140] },
    ],
    ["a third", [1, 2, 0], { "slot 0": [30, 105], "slot 1": [95, 170], "slot 2": [0, 0] }],
    ["one alone", [0, 0, 32], { "slot 0": [0, 0], "slot 1": [0, 0], "slot 2": [200, 200] }],
  ])("shares out: %s", async (_name, shares, bounds) => {
    for (const host of ["127.0.0.1", "[::1]", "[::]"]) {
      const listeners = await openListeners([`${host}:0`], 3);
      serveAll(listeners);
      expect(listeners.steer(shares)).toBeNull();
      const counts = await survey(portOf(listeners), 200, host === "[::1]" ? "::1" : "127.0.0.1");
      for (const [name, [least, most]] of Object.entries(bounds)) {
        expect(counts[name] ?? 0).toBeGreaterThanOrEqual(least as number);
        expect(counts[name] ?? 0).toBeLessThanOrEqual(most as number);
      }
    }
  });

  test("refuses shares that give nobody anything", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 2);
    for (const shares of [[], [0, 0], [1, -1], [Number.NaN, 1]]) {
      expect(() => listeners.steer(shares)).toThrow(RangeError);
    }
  });

  test("keeps an added slot without connections until it is counted in", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 1);
    serve(fdsOf(listeners, 0)[0] ?? -1, "slot 0");
    listeners.addSlot();
    expect(await survey(portOf(listeners), 100)).toEqual({ "slot 0": 100 });
    serve(fdsOf(listeners, 1)[0] ?? -1, "slot 1");
    listeners.steer([1, 1]);
    expect(Object.keys(await survey(portOf(listeners), 100)).sort()).toEqual(["slot 0", "slot 1"]);
  });

  test("removes and adds the top slot again and again", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 2);
    serve(fdsOf(listeners, 0)[0] ?? -1, "slot 0");
    for (let round = 0; round < 3; round++) {
      listeners.steer([1]);
      listeners.removeTopSlot();
      expect(await survey(portOf(listeners), 20)).toEqual({ "slot 0": 20 });
      listeners.addSlot();
    }
    serve(fdsOf(listeners, 1)[0] ?? -1, "slot 1");
    listeners.steer([1, 1]);
    expect(Object.keys(await survey(portOf(listeners), 100)).sort()).toEqual(["slot 0", "slot 1"]);
  });

  test("refuses more slots than there are", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 1);
    expect(() => listeners.steer([1, 1])).toThrow(new RangeError("can't steer to 2 of 1 slots"));
    expect(() => listeners.removeTopSlot()).toThrow(RangeError);
  });
});

test.if(onLinux)("Listeners.refuseNew() empties the queues and fills them no more", async () => {
  const listeners = await openListeners(["127.0.0.1:0"], 2);
  const port = portOf(listeners);
  const fds = [0, 1].flatMap((slot) => fdsOf(listeners, slot));
  const early = [ask("127.0.0.1", port), ask("127.0.0.1", port)];
  // On the loopback a connection is in the queue before its client knows that it is open.
  await Promise.all(early.map(({ opened }) => opened));
  expect(fds.some(hasWaiting)).toBe(true);
  expect(listeners.refuseNew(true)).toBeNull();
  expect(await ask("127.0.0.1", port).opened).toBe(true);
  expect(listeners.refuseNew(false)).toBeNull();
  const late = ask("127.0.0.1", port);
  serveAll(listeners);
  for (const answer of await Promise.all(early)) expect(answer).toStartWith("slot ");
  expect(fds.some(hasWaiting)).toBe(false);
  cleanUp();
  expect(await late.opened).toBe(false);
});

test("protectInherited() sets close-on-exec on each", async () => {
  const listeners = await openListeners(["127.0.0.1:0", "[::1]:0"], 1);
  for (const { fd } of listeners.forSlot(0)) fcntl(fd, F_SETFD, 0);
  protectInherited(listeners.forSlot(0));
  for (const { fd } of listeners.forSlot(0)) expect(fcntl(fd, F_GETFD, 0)).toBe(1);
});

describe("Listeners.waiting()", () => {
  const kinds = ["slots", "shared"] as const;
  test.if(onLinux).each(kinds)("sums the queues of all sockets (%s)", async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "listen-"));
    const binds = ["127.0.0.1:0", "[::1]:0", `unix:${join(folder, "app.sock")}`];
    const listeners = await openListeners(binds, 2, { kind });
    expect(listeners.waiting()).toBe(0);
    const socket = { data() {} };
    const [v4, v6] = listeners.urls.map((url) => Number(/:(\d+)$/.exec(url)?.[1]));
    const connections = [
      ...[1, 2, 3, 4].map(() => ({ hostname: "127.0.0.1", port: v4 ?? 0 })),
      ...[1, 2].map(() => ({ hostname: "::1", port: v6 ?? 0 })),
    ];
    const clients = await Promise.all(connections.map((to) => Bun.connect({ ...to, socket })));
    // The client's last packet may still be on its way.
    await until("all to wait", () => listeners.waiting() === 6);
    serveAll(listeners);
    await until("all to be accepted", () => listeners.waiting() === 0);
    for (const client of clients) client.end();
    cleanUp();
    rmSync(folder, { recursive: true });
  });

  test.if(onLinux)("is 0 where the workers own the sockets", async () => {
    const listeners = await openListeners(["127.0.0.1:0"], 2, { kind: "reserved" });
    expect(listeners.waiting()).toBe(0);
  });
});
