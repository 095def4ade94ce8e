import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  findHolder,
  tcpSockets,
  type WantedAddress,
} from "../../../../../src/os/sockets/listening/port-holder.ts";
import { nameOfProcess } from "../../../../../src/os/processes.ts";
import {
  bound,
  findSockets,
  listening,
} from "../../../../../src/os/sockets/listening/sock-diag.ts";
import {
  createListeningSocket,
  createReservedSocket,
} from "../../../../../src/os/sockets/listening/socket.ts";
import { closeFd } from "../../../../../src/os/sockets/socket-options.ts";
import {
  createAbstractSocket,
  createUnixSocket,
} from "../../../../../src/os/sockets/listening/unix-socket.ts";

const onLinux = process.platform === "linux";
const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const work of cleanUps.splice(0).toReversed()) work();
});

// The tables of a busy machine are long.
setDefaultTimeout(60_000);

/** A generous budget: the machine may be loaded. */
const find = (wanted: WantedAddress, ask: typeof findSockets = findSockets) =>
  findHolder(wanted, 60_000, ask);
/** As where the system has no netlink, or a filter of system calls refuses it. */
const untold = () => null;
const command = nameOfProcess(process.pid) ?? "";
const executable = basename(process.execPath);
const us = { type: "process", pid: process.pid, command, others: 0 } as const;

function familyOf(hostname: string): 4 | 6 {
  return hostname.includes(":") ? 6 : 4;
}

function listenAt(hostname: string, v6only = false): number {
  const options = { family: familyOf(hostname), hostname, port: 0, backlog: 1, v6only };
  const { fd, port } = createListeningSocket({ ...options, reusePort: true });
  cleanUps.push(() => closeFd(fd));
  return port;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holder-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

function listenAtPath(path: string): void {
  const { fd } = createUnixSocket({ path, backlog: 1, umask: 0, owner: null });
  cleanUps.push(() => closeFd(fd));
}

describe.if(onLinux)("findHolder() of TCP", () => {
  const rows: [held: string, wanted: string, found: boolean, v6only?: boolean][] = [
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "127.0.0.2", false],
    ["127.0.0.1", "0.0.0.0", true],
    ["0.0.0.0", "127.0.0.1", true],
    ["::1", "::1", true],
    ["::1", "::", true],
    ["::", "::1", true],
    ["::1", "127.0.0.1", false],
    ["127.0.0.1", "::1", false],
    ["::", "127.0.0.1", true],
    ["::", "0.0.0.0", true],
    ["127.0.0.1", "::", true],
    ["127.0.0.1", "::", false, true],
    ["::1", "::", true, true],
    ["::ffff:127.0.0.1", "127.0.0.1", true],
    ["::ffff:127.0.0.1", "0.0.0.0", true],
    ["127.0.0.1", "::ffff:127.0.0.1", true],
    ["127.0.0.1", "::ffff:127.0.0.2", false],
    ["0.0.0.0", "::ffff:127.0.0.1", true],
  ];
  test.each(rows)("%s is held, %s wanted: %p", (held, hostname, found, v6only = false) => {
    const port = listenAt(held);
    const wanted = { type: "tcp", family: familyOf(hostname), hostname, port, v6only } as const;
    expect(find(wanted)).toEqual(found ? us : null);
    expect(find(wanted, untold)).toEqual(found ? us : null);
  });

  test("a port that nobody has", () => {
    const port = listenAt("127.0.0.1");
    for (const work of cleanUps.splice(0)) work();
    const wanted = { type: "tcp", family: 4, hostname: "127.0.0.1", port, v6only: false } as const;
    expect(find(wanted)).toBeNull();
    expect(find(wanted, untold)).toBeNull();
  });

  // Linux tells of it since 6.8, and /proc/net/tcp hasn't it.
  test.if(Bun.semver.order(release().split("-")[0] ?? "", "6.8.0") >= 0).each(["127.0.0.1", "::1"])(
    "a socket at %s that doesn't listen",
    (hostname) => {
      const options = { family: familyOf(hostname), hostname, port: 0, v6only: false } as const;
      const { fd, port } = createReservedSocket({ ...options, reusePort: true, strict: false });
      cleanUps.push(() => closeFd(fd));
      expect(find({ ...options, type: "tcp", port })).toEqual(us);
      expect(find({ ...options, type: "tcp", port: port - 1 })).toBeNull();
    },
  );

  test("no port: no answer, though others listen", () => {
    listenAt("127.0.0.1");
    const wanted = {
      type: "tcp",
      family: 4,
      hostname: "127.0.0.1",
      port: 0,
      v6only: false,
    } as const;
    expect(find(wanted)).toBeNull();
    expect(find(wanted, untold)).toBeNull();
  });

  test("an outgoing connection, whose port the kernel has chosen", async () => {
    using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const socket = { data() {} };
    const client = await Bun.connect({ hostname: "127.0.0.1", port: server.port, socket });
    const wanted = { type: "tcp", family: 4, hostname: "127.0.0.1", v6only: false } as const;
    expect(find({ ...wanted, port: client.localPort })).toEqual(us);
    expect(find({ ...wanted, port: client.localPort }, untold)).toEqual(us);
    client.end();
  });

  test("several sockets of one port, and several processes: the parent and how many others", async () => {
    const child = `const listener = Bun.listen({ hostname: "127.0.0.1", port: Number(process.env.PORT ?? 0),
      reusePort: true, socket: { data() {} } });`;
    const parent = `${child} const children = [1, 2].map(() => Bun.spawn([process.execPath, "-e", process.env.CHILD],
      { env: { ...process.env, PORT: String(listener.port) }, stdin: "pipe", stdout: "pipe" }));
      for (const { stdout } of children) await stdout.getReader().read();`;
    const untilEnd = `console.log(listener.port); process.stdin.resume().on("end", () => process.exit());`;
    const holder = Bun.spawn([process.execPath, "-e", parent + untilEnd], {
      env: { ...process.env, CHILD: child + untilEnd },
      stdin: "pipe",
      stdout: "pipe",
    });
    try {
      const { value } = await holder.stdout.getReader().read();
      const port = Number(new TextDecoder().decode(value));
      const wanted = { type: "tcp", family: 4, hostname: "0.0.0.0", v6only: false } as const;
      expect(find({ ...wanted, port })).toEqual({
        ...us,
        pid: holder.pid,
        command: executable,
        others: 2,
      });
    } finally {
      await holder.stdin.end();
      await holder.exited;
    }
  }, 60_000);

  test("no time: no answer", () => {
    const port = listenAt("127.0.0.1");
    const wanted = { type: "tcp", family: 4, hostname: "127.0.0.1", port, v6only: false } as const;
    expect(findHolder(wanted, 0)).toBeNull();
    expect(findHolder(wanted, 0, untold)).toBeNull();
  });

  test("an address that isn't numeric: no answer", () => {
    expect(
      find({ type: "tcp", family: 4, hostname: "localhost", port: 1, v6only: false }),
    ).toBeNull();
  });
});

describe.if(onLinux)("tcpSockets()", () => {
  const inTime = () => false;
  test.each(["127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"])(
    "the kernel and /proc tell the same of %s",
    (hostname) => {
      const port = listenAt(hostname);
      const [told, read] = [findSockets, untold].map((ask) => {
        const all = tcpSockets(listening, 0, inTime, ask).filter((each) => each.port === port);
        expect(tcpSockets(listening, port, inTime, ask)).toEqual(all);
        expect(tcpSockets(bound, port, inTime, ask)).toEqual([]);
        return all;
      });
      expect(told).toHaveLength(1);
      expect(read).toEqual(told);
    },
  );
});

describe.if(onLinux)("findHolder() of unix sockets", () => {
  test.each(["app.sock", "with space.sock", "grün.sock"])(
    "%s in its folder, and no other",
    (name) => {
      const [one, other] = [newFolder(), newFolder()];
      listenAtPath(join(one, name));
      expect(find({ type: "unix", path: join(one, name) })).toEqual(us);
      expect(find({ type: "unix", path: join(other, name) })).toBeNull();
      expect(find({ type: "unix", path: join(one, name.slice(1)) })).toBeNull();
    },
  );

  test("through a link to its folder", () => {
    const folder = newFolder();
    mkdirSync(join(folder, "real"));
    symlinkSync("real", join(folder, "link"));
    listenAtPath(join(folder, "real/app.sock"));
    expect(find({ type: "unix", path: join(folder, "link/app.sock") })).toEqual(us);
  });

  test("bound by a relative path", async () => {
    const folder = join(newFolder(), "grün");
    mkdirSync(folder);
    const script = `Bun.listen({ unix: "app.sock", socket: { data() {} } }); console.log("");
      process.stdin.resume().on("end", () => process.exit());`;
    const holder = Bun.spawn([process.execPath, "-e", script], {
      cwd: folder,
      stdin: "pipe",
      stdout: "pipe",
    });
    try {
      await holder.stdout.getReader().read();
      const path = join(folder, "app.sock");
      expect(find({ type: "unix", path })).toEqual({ ...us, pid: holder.pid, command: executable });
    } finally {
      await holder.stdin.end();
      await holder.exited;
    }
  }, 60_000);

  test("an abstract name", () => {
    const path = `\0holder-${process.pid}`;
    const fd = createAbstractSocket(path, 1);
    cleanUps.push(() => closeFd(fd));
    expect(find({ type: "unix", path })).toEqual(us);
    expect(find({ type: "unix", path: `${path}0` })).toBeNull();
  });
});
