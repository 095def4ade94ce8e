/** What the master tells a worker before it can hear isn't lost. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { connect } from "node:tls";
import { openScoreboard } from "../../src/arbiter/act/open-scoreboard.ts";
import { sendToWorker, spawnWorker } from "../../src/arbiter/act/birth/spawn.ts";
import { resolveConfig } from "../../src/config/sources/resolve.ts";
import { closeFd } from "../../src/os/sockets/socket-options.ts";
import { createAbstractSocket } from "../../src/os/sockets/listening/unix-socket.ts";
import { readCredentials } from "../../src/tls/read-credentials.ts";
import type { TlsCredentials } from "../../src/tls/credentials.ts";
import { Certificates } from "../support/certificates.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

async function read(name: string) {
  const { certfile, keyfile } = certificates.make({ name });
  const resolved = await resolveConfig({
    argv: ["--certfile", certfile, "--keyfile", keyfile, "app"],
    env: {},
    cwd: certificates.folder,
    generation: 1,
    platform: "linux",
    cpuCount: () => 1,
  });
  const credentials = readCredentials(resolved.config, { env: {}, warn: () => {} });
  return { resolved: { ...resolved, app: "app" }, credentials: credentials as TlsCredentials };
}

/** The common name that the server at an abstract socket has. */
async function nameServed(path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ path, servername: "localhost", rejectUnauthorized: false });
  socket.once("secureConnect", () => resolve(String(socket.getPeerCertificate().subject.CN)));
  socket.once("error", reject);
  return promise.finally(() => socket.destroy());
}

test("certificates that are renewed while a worker's program is loaded are served", async () => {
  await Bun.write(
    join(certificates.folder, "app.ts"),
    `export const fetch = () => new Response();`,
  );
  const [first, second] = [await read("one.test"), await read("two.test")];
  const path = `\0gunicorn-ts-early-${process.pid}`;
  const fd = createAbstractSocket(path, 16);
  const scoreboard = openScoreboard(null);
  const ready = Promise.withResolvers<void>();
  const child = spawnWorker(
    {
      age: 1,
      slot: 0,
      row: 0,
      generation: 1,
      numWorkers: 1,
      masterName: "Master",
      ...first,
      listeners: [{ fd, url: "unix", bound: { type: "unix", path }, shared: false, secure: true }],
      scoreboardFd: scoreboard.fd,
      env: { ...process.env },
    },
    {
      message: ({ type }) => void (type === "ready" && ready.resolve()),
      app: () => {},
      exited: (code) => ready.reject(new Error(`the worker has ended with ${code}`)),
    },
  );
  try {
    // Right behind the first message.
    sendToWorker(child, { type: "tls credentials", credentials: second.credentials });
    await ready.promise;
    expect(await nameServed(path)).toBe("two.test");
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    closeFd(fd);
    scoreboard.close();
  }
}, 60_000);
