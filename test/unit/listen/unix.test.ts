import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListenError } from "../../../src/listen/group.ts";
import type { Listeners } from "../../../src/listen/listeners.ts";
import { fcntl } from "../../../src/os/libc.ts";
import { nameOfProcess } from "../../../src/os/processes.ts";
import { hasWaiting } from "../../../src/os/sockets/listening/accept-queue.ts";
import { createListeningSocket } from "../../../src/os/sockets/listening/socket.ts";
import { closeFd, duplicateFd } from "../../../src/os/sockets/socket-options.ts";
import { createUnixSocket } from "../../../src/os/sockets/listening/unix-socket.ts";
import {
  addressOf,
  ask,
  askUnix,
  fdsOf,
  onLinux,
  openListeners,
  openOptions,
  portOf,
  serve,
} from "../../support/listeners.ts";

const F_GETFD = 1;

/** A path that nothing stands at, in a folder of its own. */
function newPath(): string {
  return join(mkdtempSync(join(tmpdir(), "listen-")), "app.sock");
}

function plainSocket(path: string): number {
  return createUnixSocket({ path, backlog: 16, umask: 0, owner: null }).fd;
}

function fdOf(listeners: Listeners): number {
  return fdsOf(listeners, 0)[0] ?? -1;
}

describe("unix sockets", () => {
  test("one is shared by all slots, with the mode that umask leaves", async () => {
    const path = newPath();
    const listeners = await openListeners([`unix:${path}`], 3, { umask: 0o027 });
    expect(listeners.urls).toEqual([`unix:${path}`]);
    expect(listeners.forSlot(2)).toEqual([
      {
        fd: fdOf(listeners),
        url: `unix:${path}`,
        bound: { type: "unix", path },
        shared: true,
        secure: false,
      },
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o750);
    serve(fdOf(listeners), "unix");
    expect(await askUnix(path)).toBe("unix");
    if (onLinux) expect(listeners.steer([1, 1])).toBeNull();
    listeners.addSlot();
    listeners.removeTopSlot();
    expect(await askUnix(path)).toBe("unix");
    listeners.close(false);
    expect(existsSync(path)).toBe(false);
  });

  test("stand beside TCP sockets", async () => {
    const path = newPath();
    const binds = ["127.0.0.1:0", `unix://${path}`];
    const listeners = await openListeners(binds, 2);
    const [tcp, unix] = listeners.forSlot(1);
    expect([tcp?.bound.type, unix?.bound.type]).toEqual(["tcp", "unix"]);
    if (onLinux) expect(fdsOf(listeners, 0)[0]).not.toBe(tcp?.fd ?? -1);
    expect(fdsOf(listeners, 0)[1]).toBe(unix?.fd ?? -1);
  });

  test("a stale file is replaced", async () => {
    const path = newPath();
    closeFd(plainSocket(path));
    const listeners = await openListeners([`unix:${path}`], 1);
    serve(fdOf(listeners), "new");
    expect(await askUnix(path)).toBe("new");
  });

  test("a live one is in use, five times, and is left alone", async () => {
    const path = newPath();
    const fd = plainSocket(path);
    const lines: string[] = [];
    const onRetry = (message: string) => void lines.push(message);
    const failure = await openListeners([`unix:${path}`], 1, { onRetry }).catch((error) => error);
    expect(failure).toBeInstanceOf(ListenError);
    const held = onLinux ? `, held by ${nameOfProcess(process.pid)} (pid:${process.pid})` : "";
    expect(String(failure)).toBe(
      `ListenError: Can't connect to ${path}: it is in use${held}; choose another with -b ADDRESS`,
    );
    const line = `Connection in use: ${path}${held}`;
    expect(lines).toEqual([...Array(4).fill(`${line}; retrying in 1 second`), line]);
    expect(existsSync(path)).toBe(true);
    closeFd(fd);
  });

  test("a file of another kind is refused at once, and stays", async () => {
    const path = newPath();
    writeFileSync(path, "precious");
    const lines: string[] = [];
    const onRetry = (message: string) => void lines.push(message);
    const failure = openListeners([`unix:${path}`], 1, { onRetry });
    await expect(failure).rejects.toThrow(
      `bind: '${path}' is not a socket, and won't be replaced by one`,
    );
    expect([lines, existsSync(path)]).toEqual([[], true]);
  });

  test("a failure beside it takes the file away again", async () => {
    const path = newPath();
    const taken = await openListeners(["127.0.0.1:0"], 1);
    const failure = openListeners([`unix:${path}`, `127.0.0.1:${portOf(taken)}`], 1);
    await expect(failure).rejects.toThrow(ListenError);
    expect(existsSync(path)).toBe(false);
  });

  test("worker class serve can't have one", async () => {
    const failure = openListeners(["unix:/tmp/app.sock"], 1, { kind: "reserved" });
    await expect(failure).rejects.toThrow(
      "/tmp/app.sock: worker class serve can't take over sockets, use --worker-class async",
    );
  });
});

describe("the file of a unix socket", () => {
  test("goes before the queue runs dry", async () => {
    const path = newPath();
    const listeners = await openListeners([`unix:${path}`], 1);
    const early = askUnix(path);
    expect(await early.opened).toBe(true);
    expect(hasWaiting(fdOf(listeners))).toBe(true);
    expect(listeners.refuseNew(false)).toBeNull();
    expect(existsSync(path)).toBe(false);
    expect(await askUnix(path).opened).toBe(false);
    serve(fdOf(listeners), "last");
    expect(await early).toBe("last");
  });

  test("stays while another master serves on the socket", async () => {
    const path = newPath();
    const listeners = await openListeners([`unix:${path}`], 1);
    expect(listeners.refuseNew(true)).toBeNull();
    listeners.close(true);
    expect(existsSync(path)).toBe(true);
    rmSync(path);
  });

  test("stays when it is another server's by now", async () => {
    for (const end of ["close", "refuseNew"] as const) {
      const path = newPath();
      const listeners = await openListeners([`unix:${path}`], 1);
      renameSync(path, `${path}.old`);
      const fd = plainSocket(path);
      listeners[end](false);
      expect(existsSync(path)).toBe(true);
      serve(fd, "other");
      expect(await askUnix(path)).toBe("other");
      closeFd(fd);
    }
  });

  test("goes when a reload has left the address out, and not before its workers drain", async () => {
    const path = newPath();
    const listeners = await openListeners([`unix:${path}`], 1);
    const fd = fdOf(listeners);
    await listeners.open([addressOf("127.0.0.1:0")], 1, openOptions);
    expect(listeners.urls[0]).toStartWith("http://");
    serve(fd, "draining");
    expect(await askUnix(path)).toBe("draining");
    listeners.refuseUnused(false);
    listeners.closeUnused(false);
    expect(existsSync(path)).toBe(false);
    expect(() => fcntl(fd, F_GETFD, 0)).toThrow("Bad file descriptor");
    await listeners.open([addressOf(`unix:${path}`)], 1, openOptions);
    expect(fdOf(listeners)).not.toBe(-1);
    expect(await askUnix(path).opened).toBe(true);
  });

  test("stays when the reload comes while another master serves on it", async () => {
    const path = newPath();
    const listeners = await openListeners([`unix:${path}`], 1);
    await listeners.open([addressOf("127.0.0.1:0")], 1, openOptions);
    listeners.refuseUnused(true);
    listeners.closeUnused(true);
    expect(existsSync(path)).toBe(true);
    rmSync(path);
  });
});

describe("fd://N", () => {
  const tcp = { family: 4, hostname: "127.0.0.1", port: 0, backlog: 8, v6only: false } as const;

  test("is an inherited TCP socket, shared by all slots", async () => {
    const { fd, port } = createListeningSocket({ ...tcp, reusePort: true });
    fcntl(fd, 2, 0);
    const listeners = await openListeners([`fd://${fd}`], 2);
    expect(listeners.forSlot(1)).toEqual([
      {
        fd,
        url: `http://127.0.0.1:${port}`,
        bound: { type: "tcp", hostname: "127.0.0.1", port },
        shared: true,
        secure: false,
      },
    ]);
    expect(fcntl(fd, F_GETFD, 0)).toBe(1);
    serve(fd, "inherited");
    expect(await ask("127.0.0.1", port)).toBe("inherited");
  });

  test("may be a unix socket, whose file is never removed", async () => {
    const path = newPath();
    const listeners = await openListeners([`fd://${plainSocket(path)}`], 1);
    expect(listeners.urls).toEqual([`unix:${path}`]);
    expect(listeners.refuseNew(false)).toBeNull();
    listeners.close(false);
    expect(existsSync(path)).toBe(true);
  });

  test("goes on to take connections for whoever holds it after the stop", async () => {
    const { fd, port } = createListeningSocket({ ...tcp, reusePort: false });
    const kept = duplicateFd(fd);
    const listeners = await openListeners([`fd://${fd}`], 1);
    expect(listeners.refuseNew(false)).toBeNull();
    listeners.close(false);
    serve(kept, "kept");
    expect(await ask("127.0.0.1", port)).toBe("kept");
    closeFd(kept);
  });

  test("refuses what isn't a socket, or not even open", async () => {
    const file = openSync("/dev/null", "r");
    for (const fd of [file, 999_999]) {
      await expect(openListeners([`fd://${fd}`], 1)).rejects.toThrow(
        `bind: fd://${fd} is not a listening socket that this process inherited`,
      );
    }
    closeSync(file);
  });

  test("refuses a socket that doesn't listen", async () => {
    const client = await openListeners(["127.0.0.1:0"], 1, { kind: "reserved" });
    const [fd = -1] = fdsOf(client, 0);
    await expect(openListeners([`fd://${fd}`], 1)).rejects.toThrow("is not a listening socket");
  });
});
