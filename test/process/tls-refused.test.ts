/** Each bad configuration of TLS is refused with one line, before a socket is opened. */
import { afterAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { badTls, configFileOf } from "../support/bad-tls/bad-tls.ts";
import { Certificates } from "../support/certificates.ts";
import { Load } from "../support/loads/load.ts";
import { gunicorn, start, until } from "../support/server.ts";
import { asNobody, canBeNobody, folderForAll } from "../support/unprivileged.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const rows = badTls(certificates).map((row) => [row.name, row] as const);
const app = "export default { fetch: () => new Response('hello') };\n";

describe.each([
  ["--check-config", ["--check-config"]],
  ["the start", []],
])("%s refuses", (_, args) => {
  test.concurrent.each(rows)(
    "%s",
    async (_name, row) => {
      await using server = start({
        args,
        files: { "app.ts": app, "gunicorn.conf.ts": configFileOf(row) },
        env: row.env ?? {},
        bind: [],
      });
      expect(await server.process.exited).toBe(1);
      await until("the end of its output", () => server.ended());
      const [first = "", ...rest] = server.log.split("\n");
      expect(first.replace(/^Error: (gunicorn\.conf\.ts: )?/, "")).toStartWith(row.says);
      expect(rest).toEqual([""]);
    },
    180_000,
  );
});

/** Of the certificate that a client gets, as node has it. */
async function servedSerial(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test("a reload refuses each of them; the old certificate stays, and the load goes on", async () => {
  const { certfile, keyfile, cert } = certificates.make();
  const good = configFileOf({ settings: { certfile, keyfile } });
  const files = { "app.ts": app, "gunicorn.conf.ts": good };
  await using server = await gunicorn({ files, bind: [] });
  const workers = await server.settled(1);
  const { port } = server;
  const load = new Load({ port, secure: true, fresh: 1, kept: 1, expected: "hello" });
  for (const [, row] of rows) {
    // The environment is that of the start.
    if (row.env !== undefined) continue;
    writeFileSync(join(server.folder, "gunicorn.conf.ts"), configFileOf(row));
    const before = server.log.length;
    server.kill("SIGHUP");
    const from = await server.logged("Reload failed, the running workers stay: ", before);
    const to = await server.logged("\n", from);
    const line = server.log.slice(from, to);
    expect(line.replace(/^gunicorn\.conf\.ts: /, "")).toStartWith(row.says);
  }
  await load.more(10);
  const { failures } = await load.stop();
  expect(failures).toEqual([]);
  expect(server.workers()).toEqual(workers);
  expect(await servedSerial(port)).toBe(new X509Certificate(cert).serialNumber);
  expect(await server.stop()).toBe(0);
}, 300_000);

test.skipIf(!canBeNobody)(
  "a key that the master may not read is refused, with who it is",
  async () => {
    const { certfile, keyfile } = certificates.make();
    chmodSync(certificates.folder, 0o755);
    chmodSync(keyfile, 0o000);
    const args = ["--check-config", "--certfile", certfile, "--keyfile", keyfile];
    const files = { "app.ts": app };
    await using server = start({ args, files, folder: folderForAll(), through: asNobody });
    expect(await server.process.exited).toBe(1);
    await until("the end of its output", () => server.ended());
    expect(server.log).toMatch(
      /^Error: --keyfile: \S+: can't be read by uid [1-9]\d*: permission denied\n$/,
    );
  },
  180_000,
);
