import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRoot, needsRoot } from "../../../../support/needs.ts";
import { testUnless } from "../../../../support/wire.ts";
import { fcntl } from "../../../../../src/os/libc.ts";
import { hasWaiting } from "../../../../../src/os/sockets/listening/accept-queue.ts";
import { nameOf } from "../../../../../src/os/sockets/socket-address.ts";
import { maxPathBytes } from "../../../../../src/os/sockets/socket-path.ts";
import { closeFd } from "../../../../../src/os/sockets/socket-options.ts";
import {
  createUnixSocket,
  fileAt,
  inspectPath,
  unlinkIfSame,
  type UnixSocketOptions,
} from "../../../../../src/os/sockets/listening/unix-socket.ts";

const F_GETFD = 1;
const F_GETFL = 3;
const nonBlocking = process.platform === "linux" ? 0o4000 : 0x0004;
const folder = mkdtempSync(join(tmpdir(), "unix-socket-"));
const path = join(folder, "app.sock");
const open: number[] = [];

function create(options: Partial<UnixSocketOptions> = {}): ReturnType<typeof createUnixSocket> {
  const socket = createUnixSocket({ path, backlog: 16, umask: 0, owner: null, ...options });
  open.push(socket.fd);
  return socket;
}

afterEach(() => {
  for (const fd of open.splice(0)) closeFd(fd);
  rmSync(folder, { recursive: true, force: true });
  Bun.spawnSync(["mkdir", folder]);
});

describe("createUnixSocket()", () => {
  test("makes a socket that is close-on-exec and non-blocking, and knows its path", () => {
    const { fd, file } = create();
    expect(nameOf(fd)).toEqual({ type: "unix", path });
    expect(fcntl(fd, F_GETFD, 0) & 1).toBe(1);
    expect(fcntl(fd, F_GETFL, 0) & nonBlocking).toBe(nonBlocking);
    const { dev, ino, mtimeMs } = statSync(path);
    expect(file).toEqual({ device: dev, inode: ino, modifiedMs: mtimeMs });
  });

  test.each([
    [0, 0o777],
    [0o022, 0o755],
    [0o007, 0o770],
    [0o777, 0],
  ])("under umask %o gives the file mode %o, and leaves the process's alone", (umask, mode) => {
    const before = process.umask();
    create({ umask });
    expect(statSync(path).mode & 0o777).toBe(mode);
    expect(process.umask()).toBe(before);
  });

  test.skipIf(!isRoot)(`gives the file to its owner${needsRoot}`, () => {
    create({ owner: { uid: 65_534, gid: 1 } });
    expect([statSync(path).uid, statSync(path).gid]).toEqual([65_534, 1]);
  });

  testUnless(process.platform !== "linux")(
    "leaves neither file nor descriptor behind when the owner can't be set",
    () => {
      create({ path: `${path}2` });
      expect(boundPaths()).toContain(`${path}2`);
      expect(() => create({ owner: { uid: -2, gid: 0 } })).toThrow();
      expect(existsSync(path)).toBe(false);
      expect(boundPaths()).not.toContain(path);
    },
  );

  test("refuses a path in use, stale or not", () => {
    const { fd } = create();
    expect(() => create()).toThrow("Address already in use");
    closeFd(fd);
    open.pop();
    expect(() => create()).toThrow("Address already in use");
  });

  test("takes a path of all bytes that there is room for, and no more", () => {
    const long = join(folder, "x".repeat(maxPathBytes - folder.length - 1));
    expect(nameOf(create({ path: long }).fd)).toEqual({ type: "unix", path: long });
    expect(() => create({ path: `${long}x` })).toThrow(`longer than the ${maxPathBytes} bytes`);
  });
});

test("hasWaiting() sees what waits on a unix socket", async () => {
  const { fd } = create();
  expect(hasWaiting(fd)).toBe(false);
  const client = await Bun.connect({ unix: path, socket: { data() {} } });
  expect(hasWaiting(fd)).toBe(true);
  client.end();
});

describe("inspectPath()", () => {
  test("tells a free path, a file, a live socket and a stale one apart", () => {
    expect(inspectPath(path)).toBe("free");
    const { fd } = create();
    expect(inspectPath(path)).toBe("in use");
    closeFd(fd);
    open.pop();
    expect(inspectPath(path)).toBe("stale");
    rmSync(path);
    writeFileSync(path, "");
    expect(inspectPath(path)).toBe("not a socket");
  });

  test("takes a socket with a full queue for one in use", async () => {
    create({ backlog: 0 });
    for (let connected = true; connected;) {
      connected = await Bun.connect({ unix: path, socket: { data() {} } }).then(
        () => true,
        () => false,
      );
    }
    expect(inspectPath(path)).toBe("in use");
  });

  test("doesn't follow a symbolic link", () => {
    const { fd } = create();
    Bun.spawnSync(["ln", "-s", path, join(folder, "link")]);
    expect(inspectPath(join(folder, "link"))).toBe("not a socket");
    closeFd(fd);
    open.pop();
  });
});

describe("unlinkIfSame()", () => {
  test("removes the file, once", () => {
    const { file } = create();
    expect(unlinkIfSame(path, file)).toBe(true);
    expect(fileAt(path)).toBeNull();
    expect(unlinkIfSame(path, file)).toBe(false);
  });

  test("leaves what stands in its place", () => {
    const { file } = create();
    rmSync(path);
    const other = create();
    expect(unlinkIfSame(path, file)).toBe(false);
    expect(fileAt(path)).toEqual(other.file);
    rmSync(path);
    writeFileSync(path, "");
    expect(unlinkIfSame(path, file)).toBe(false);
    expect(existsSync(path)).toBe(true);
  });
});

/** The paths of all unix sockets that somebody still holds open. */
function boundPaths(): string[] {
  const rows = readFileSync("/proc/net/unix", "latin1").trimEnd().split("\n");
  return rows.map((row) => row.trimEnd().split(" ").at(-1) ?? "");
}
