/** Which certificate a client gets, and which clients get in by their own. */
import { afterAll, describe, expect, test } from "bun:test";
import type { ConnectionOptions } from "node:tls";
import { Certificates, type Made } from "../support/certificates.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";
import { ask, sClient } from "../support/tls-client.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const authority = certificates.make({ name: "clients-ca", ca: true });
const between = certificates.make({ name: "between", ca: true, by: authority });
const stranger = certificates.make({ name: "other-ca", ca: true });
const clients = {
  good: certificates.make({ name: "good", by: authority }),
  deep: certificates.make({ name: "deep", by: between }),
  foreign: certificates.make({ name: "foreign", by: stranger }),
  own: certificates.make({ name: "own" }),
  expired: certificates.make({ name: "expired", by: authority, from: -10, until: -1 }),
  early: certificates.make({ name: "early", by: authority, from: 5 }),
};
const localhost = certificates.make({ name: "localhost" });

const app = `export default {
  fetch(request, server) {
    const certificate = server.peerCertificate(request);
    if (certificate === null) return new Response("nobody");
    const { subject, issuer, valid_from, raw, fingerprint256, serialNumber } = certificate;
    return Response.json([subject.CN, issuer.CN, typeof valid_from, raw.length > 100,
      fingerprint256.length, typeof serialNumber]);
  },
};`;

const shownBy = (name: string, issuer: string) =>
  JSON.stringify([name, issuer, "string", true, 95, "string"]);

/** Doesn't wait for an answer, which a server may refuse without a certificate. */
async function serve(app: string, ...args: readonly string[]): Promise<RunningServer> {
  const always = ["--certfile", localhost.certfile, "--keyfile", localhost.keyfile];
  const server = start({ files: { "app.ts": app }, args: [...always, ...args] });
  await server.logged("Using worker:");
  return server;
}

const shows = ({ chain, key }: Made): ConnectionOptions => ({ cert: chain, key });

describe("a client certificate", () => {
  type Who = keyof typeof clients | null;
  const refused: Who[] = ["foreign", "own", "expired", "early"];
  const rows: [cert_reqs: string, Who, body: string | null][] = [
    ["0", null, "nobody"],
    ["0", "good", "nobody"],
    ["0", "foreign", "nobody"],
    ["1", null, "nobody"],
    ["1", "good", shownBy("good", "clients-ca")],
    ["1", "deep", shownBy("deep", "between")],
    ...refused.map((who): (typeof rows)[number] => ["1", who, null]),
    ["2", null, null],
    ["2", "good", shownBy("good", "clients-ca")],
    ["2", "deep", shownBy("deep", "between")],
    ...refused.map((who): (typeof rows)[number] => ["2", who, null]),
  ];

  test.each(["0", "1", "2"])(
    "with cert_reqs %s",
    async (required) => {
      const args =
        required === "0" ? [] : ["--cert-reqs", required, "--ca-certs", authority.certfile];
      await using server = await serve(app, ...args, "--log-level", "debug");
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        for (const [, who, body] of rows.filter(([each]) => each === required)) {
          const after = server.log.length;
          const own = who === null ? {} : shows(clients[who]);
          const outcome = await ask(server.port, {
            ...own,
            minVersion: version,
            maxVersion: version,
          });
          expect({ required, version, who, body: outcome.body }).toEqual({
            required,
            version,
            who,
            body: body ?? "",
          });
          if (body === null) await server.logged("Closing ip=127.0.0.1: TLS handshake: ", after);
        }
      }
      expect(server.log).not.toContain("[ERROR]");
    },
    60_000,
  );

  test.each(["async", "serve"])(
    "-k %s: is signed by a CA below one that isn't trusted",
    async (kind) => {
      const hello = `export default { fetch: () => new Response("hello") };`;
      const args = ["-k", kind, "--cert-reqs", "2", "--ca-certs", between.certfile];
      await using server = await serve(hello, ...args);
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        for (const [who, body] of [
          ["deep", "hello"],
          ["good", ""],
        ] as const) {
          // The workers of serve open their own sockets.
          const outcome = await until("an answer of TLS", async () => {
            const each = await ask(server.port, { ...shows(clients[who]), maxVersion });
            return each.error === "ECONNREFUSED" ? null : each;
          });
          expect({ maxVersion, who, body: outcome.body }).toEqual({ maxVersion, who, body });
        }
      }
    },
    120_000,
  );

  test("is known on a session that resumes too", async () => {
    await using server = await serve(app, "--cert-reqs", "2", "--ca-certs", authority.certfile);
    const { certfile, keyfile } = clients.good;
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const session = `${server.folder}/session${version}`;
      const own = [version, "-cert", certfile, "-key", keyfile];
      await sClient(server.port, ...own, "-sess_out", session);
      const again = await sClient(server.port, version, "-sess_in", session);
      expect(again).toContain("\nReused, TLS");
      expect(again).toContain(shownBy("good", "clients-ca"));
    }
  }, 60_000);

  test("is in the access log, with the TLS of the connection", async () => {
    const format =
      "%({wsgi.url_scheme}e)s|%({SSL_PROTOCOL}x)s|%({SSL_CIPHER}x)s|%({SSL_CLIENT_S_DN}x)s|";
    const args = ["--cert-reqs", "1", "--ca-certs", authority.certfile, "--access-logfile", "-"];
    await using server = await serve(app, ...args, "--access-logformat", format);
    const maxVersion = "TLSv1.2";
    await ask(server.port, { ...shows(clients.good), maxVersion });
    await ask(server.port);
    await server.logged(/^https\|TLSv1\.2\|ECDHE-ECDSA-[A-Z0-9-]+\|CN=good\|$/m);
    await server.logged(/^https\|TLSv1\.3\|TLS_[A-Z0-9_]+\|-\|$/m);
  });

  test.each<[claim: string, args: string[], good: string, nobody: string]>([
    [
      "is what a node listener finds at its socket",
      ["--cert-reqs", "1", "--ca-certs", authority.certfile],
      '[true,true,"good","TLSv1.3","TLSv1.3"]',
      '[true,false,null,"TLSv1.2","TLSv1.2"]',
    ],
    [
      "isn't asked for, and a node listener finds the TLS of the connection",
      [],
      '[true,false,null,"TLSv1.3","TLSv1.3"]',
      '[true,false,null,"TLSv1.2","TLSv1.2"]',
    ],
  ])("%s", async (_, args, good, nobody) => {
    const listener = `
    import { createServer } from "node:http";
    createServer((request, response) => {
      const { socket } = request;
      response.end(JSON.stringify([socket.encrypted, socket.authorized,
        socket.getPeerCertificate().subject?.CN ?? null, socket.getProtocol(), socket.getCipher().version]));
    }).listen(8000);`;
    await using server = await serve(listener, ...args);
    const answers = [
      await ask(server.port, shows(clients.good)),
      await ask(server.port, { maxVersion: "TLSv1.2" }),
    ];
    expect(answers.map(({ body }) => body)).toEqual([good, nobody]);
  });
});

test.each(["async", "serve"])(
  "-k %s: a client gets the certificate of its name",
  async (kind) => {
    const first = certificates.make({ name: "localhost", names: ["DNS:first.shop.example"] });
    const shop = certificates.make({ name: "shop.example", names: ["DNS:*.shop.example"] });
    const blog = certificates.make({ name: "blog.example" });
    const special = certificates.make({ name: "own.shop.example", key: "rsa" });
    const names = [shop, blog, special].map(({ certfile, keyfile }) => ({ certfile, keyfile }));
    await using server = await gunicorn({
      files: {
        "app.ts": `export default { fetch: () => new Response("hello") };`,
        "gunicorn.conf.ts": `export default { tls: ${JSON.stringify(names)} };`,
      },
      args: ["-k", kind, "--certfile", first.certfile, "--keyfile", first.keyfile],
    });
    const rows: [asked: string | null, server: string][] = [
      [null, "localhost"],
      ["localhost", "localhost"],
      ["unknown.example", "localhost"],
      ["shop.example", "shop.example"],
      ["SHOP.example", "shop.example"],
      ["www.shop.example", "shop.example"],
      ["a.www.shop.example", "localhost"],
      ["own.shop.example", "own.shop.example"],
      ["first.shop.example", "localhost"],
      ["blog.example", "blog.example"],
      ["www.blog.example", "localhost"],
    ];
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      for (const [asked, name] of rows) {
        const outcome = await ask(server.port, { maxVersion, servername: asked ?? "" });
        expect({ maxVersion, asked, name: outcome.server, body: outcome.body }).toEqual({
          maxVersion,
          asked,
          name,
          body: "hello",
        });
      }
    }
  },
  120_000,
);

test("a renewed certificate is for new connections, and nobody is cut", async () => {
  const renewed = certificates.make({ name: "renewed" });
  await using server = await gunicorn({ secure: true, files: { "app.ts": app } });
  expect((await ask(server.port)).server).toBe("localhost");
  await Bun.write(`${server.folder}/key.pem`, renewed.key);
  await Bun.write(`${server.folder}/cert.pem`, renewed.cert);
  await server.logged("TLS certificate renewed: CN=renewed");
  await until("the worker to hear of it", async () => {
    return (await ask(server.port)).server === "renewed";
  });
  expect(server.workers()).toHaveLength(1);
}, 60_000);

test("websockets speak TLS", async () => {
  const echo = `export default {
    fetch: (request, server) => server.upgrade(request) ? undefined : new Response("none"),
    websocket: { message: (socket, text) => void socket.send("echo " + text) },
  };`;
  await using server = await gunicorn({ secure: true, files: { "app.ts": echo } });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = new WebSocket(`wss://127.0.0.1:${server.port}/`, {
    tls: { rejectUnauthorized: false },
  } as never);
  socket.addEventListener("open", () => socket.send("hello"));
  socket.addEventListener("message", ({ data }) => resolve(String(data)));
  socket.addEventListener("error", () => reject(new Error("no websocket")));
  expect(await promise).toBe("echo hello");
  const closed = new Promise<number>((done) => {
    socket.addEventListener("close", ({ code }) => done(code));
  });
  server.process.kill("SIGTERM");
  expect(await closed).toBe(1001);
  expect(await server.process.exited).toBe(0);
}, 60_000);

test("the server sends what certfile holds, and not what its system knows besides", async () => {
  const alone = certificates.make({ name: "localhost", by: between });
  await using server = start({
    files: { "app.ts": app },
    args: ["--certfile", alone.certfile, "--keyfile", alone.keyfile],
    env: { NODE_EXTRA_CA_CERTS: between.certfile },
  });
  await server.logged("Using worker:");
  const shown = await sClient(server.port, "-showcerts");
  expect(shown.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
}, 60_000);

describe("what a node listener makes of a connection speaks TLS too, and tells of the client", () => {
  const listener = `
  import { createServer } from "node:http";
  createServer().on("upgrade", ({ socket: asked }, socket) => {
    const { encrypted, authorized } = asked;
    const facts = [encrypted, authorized ?? null, asked === socket, asked.getPeerCertificate?.().subject?.CN ?? null,
      asked.getProtocol?.() ?? null, asked.getCipher?.().version ?? null, asked.remoteAddress];
    socket.end("HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: x\\r\\n\\r\\n" + JSON.stringify(facts));
  }).listen(8000);`;
  const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
  const rows: [keyof typeof clients | null, authorized: boolean, name: string | null][] = [
    [null, false, null],
    ["good", true, "good"],
  ];

  test("with a client certificate and without", async () => {
    const args = ["--cert-reqs", "1", "--ca-certs", authority.certfile];
    await using server = await serve(listener, ...args);
    for (const [who, authorized, name] of rows) {
      const own = who === null ? {} : shows(clients[who]);
      const outcome = await ask(server.port, { ...own, maxVersion: "TLSv1.2" }, request);
      expect(outcome).toMatchObject({
        answer: "HTTP/1.1 101 Switching Protocols",
        body: JSON.stringify([true, authorized, true, name, "TLSv1.2", "TLSv1.2", "127.0.0.1"]),
        error: null,
      });
    }
  }, 120_000);
});
