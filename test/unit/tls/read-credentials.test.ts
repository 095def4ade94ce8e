import { afterAll, describe, expect, test } from "bun:test";
import { resolveConfig } from "../../../src/config/sources/resolve.ts";
import type { Config } from "../../../src/config/types.ts";
import { credentialFiles } from "../../../src/tls/credential-files.ts";
import { readCredentials } from "../../../src/tls/read-credentials.ts";
import { Certificates } from "../../support/certificates.ts";

const made = new Certificates();
afterAll(() => made[Symbol.dispose]());

const root = made.make({ name: "Root", ca: true });
const middle = made.make({ name: "Middle", ca: true, by: root });
const server = made.make({ by: middle, names: ["DNS:*.Example.org", "IP:127.0.0.1"] });
const shop = made.make({ name: "shop.test", names: ["DNS:localhost"] });
const expired = made.make({ from: -20, until: -2 });
const pair = { certfile: server.chainfile, keyfile: server.keyfile };
const secret = { ...pair, keyfile: made.encrypt(server, "se cret ") };
const file = (text: string) => made.file("passphrases", text);

const inputs = { argv: [], env: {}, cwd: made.folder, generation: 1, platform: "linux" };
const { config: plain } = await resolveConfig({ ...inputs, cpuCount: () => 1 });

function read(changes: Partial<Config>, env: Record<string, string> = {}) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  return { got: readCredentials({ ...plain, ...changes }, { env, warn }), warnings };
}

describe("readCredentials()", () => {
  test("is null without a certificate", () =>
    expect(read({})).toEqual({ got: null, warnings: [] }));

  test("gives chain, key, names, and the defaults", () => {
    expect(read(pair)).toEqual({
      got: {
        certificates: [
          { chain: server.chain, key: server.key, serverNames: ["localhost", "*.example.org"] },
        ],
        clientCertificates: "none",
        ca: null,
        ciphers: "ECDHE+AESGCM:ECDHE+CHACHA20",
        minVersion: "TLSv1.2",
        maxVersion: "TLSv1.3",
      },
      warnings: [],
    });
  });

  const withCr = made.file("crlf.pem", server.chain.replaceAll("\n", "\r\n"));
  const withText = made.file("bag.pem", `Bag Attributes\n  x: -----\n${server.chain}trailing`);
  const withRoot = made.file("root.pem", server.chain + root.cert);
  test.each([
    ["a relative path", { certfile: server.chainfile.replace(`${made.folder}/`, "") }],
    ["lines that end with CRLF", { certfile: withCr }],
    ["text between the blocks", { certfile: withText }],
  ])("takes %s", (_, changes) => {
    expect(read({ ...pair, ...changes }).got?.certificates[0].chain).toBe(server.chain);
  });

  test("takes the root too", () => {
    const { got, warnings } = read({ ...pair, certfile: withRoot });
    expect([got?.certificates[0].chain, warnings]).toEqual([server.chain + root.cert, []]);
  });

  test("finds the key in certfile", () => {
    const certfile = made.file("both.pem", server.key + server.chain);
    const [first] = read({ certfile }).got?.certificates ?? [];
    expect([first?.chain, first?.key]).toEqual([server.chain, server.key]);
  });

  test.each([
    ["in a file", { keyfilePasswordFile: file("se cret \n") }, {}],
    ["in a file without an end of line", { keyfilePasswordFile: file("se cret ") }, {}],
    ["in a file of several", { keyfilePasswordFile: file("a\r\n\r\nse cret \r\nb\r\n") }, {}],
    ["in the environment", {}, { GUNICORN_KEYFILE_PASSWORD: "se cret " }],
  ])("decrypts the key by a passphrase %s", (_, changes, env) => {
    const { got, warnings } = read({ ...secret, ...changes }, env);
    expect([got?.certificates[0].key, warnings]).toEqual([server.key, []]);
  });

  test("gives each certificate its names, and a name to one certificate", () => {
    const { certfile, keyfile } = shop;
    const names = (tls: Config["tls"], changes: Partial<Config> = pair) =>
      read({ ...changes, tls }).got?.certificates.map(({ serverNames }) => serverNames);
    const entry = { certfile, keyfile, servername: [] };
    expect(names([{ ...entry, servername: ["shop.test"] }])).toEqual([
      ["localhost", "*.example.org"],
      ["shop.test"],
    ]);
    // What is said counts more than what the default's certificate has.
    expect(names([{ ...entry, servername: ["localhost", "shop.test"] }])).toEqual([
      ["*.example.org"],
      ["localhost", "shop.test"],
    ]);
    expect(names([entry], {})).toEqual([["shop.test", "localhost"]]);
  });

  test.each([
    ["none", { certReqs: 0 }, "none", null],
    ["optional", { certReqs: 1, caCerts: root.certfile }, "optional", root.cert],
    [
      "required",
      { certReqs: 2, caCerts: made.file("cas", middle.chain + root.cert) },
      "required",
      middle.cert + root.cert,
    ],
  ])("client certificates: %s", (_, changes, clientCertificates, ca) => {
    expect(read({ ...pair, ...changes }).got).toMatchObject({ clientCertificates, ca });
  });

  test.each([
    ["TLS", "TLSv1.2", "TLSv1.3"],
    ["TLSv1_2", "TLSv1.2", "TLSv1.2"],
    ["TLSv1_3", "TLSv1.3", "TLSv1.3"],
  ] as const)("ssl_version %s", (sslVersion, minVersion, maxVersion) => {
    expect(read({ ...pair, sslVersion }).got).toMatchObject({ minVersion, maxVersion });
  });

  const now = made.make({ until: 3 });
  const early = made.make({ from: 1 });
  const alone = made.make({
    by: middle,
    extensions: ["authorityInfoAccess = caIssuers;URI:http://ca.test/middle"],
  });
  const rsa = made.make({ key: "rsa" });
  const small = made.make({ key: "rsa1024" });
  const sha1 = made.make({ digest: "sha1", key: "rsa" });
  const oldRoot = made.make({ name: "Old", ca: true, from: -9, until: -1 });
  const cas = made.file("cas.pem", root.cert + oldRoot.cert);
  const files = ({ certfile, keyfile }: typeof now) => ({ certfile, keyfile });
  test.each([
    ["nothing, of what is about to expire", files(now), []],
    ["nothing, of what has expired and may", { ...files(expired), tlsAllowExpired: true }, []],
    [
      "what isn't valid yet and may",
      { ...files(early), tlsAllowExpired: true },
      [
        /^certfile: .*: certificate 1 \(CN=localhost\) is not valid before \d{4}-\d\d-\d\dT[\d:]+Z$/,
      ],
    ],
    [
      "a chain that holds the server's own certificate only",
      files(alone),
      [/: holds no certificate of CN=Middle, who signed certificate 1 \(CN=localhost\): many/],
    ],
    ["a small key", files(small), [/must have 2048 bits or more, got 1024; many clients/]],
    ["an old signature", files(sha1), [/is signed by .*sha1.*, which many clients refuse$/i]],
    [
      "an authority that has expired beside another",
      { ...pair, certReqs: 2, caCerts: cas },
      [/^caCerts: .*: certificate 2 \(CN=Old\) has expired at /],
    ],
    [
      "ciphers that Bun doesn't have",
      { ...pair, ciphers: "ECDHE+AESGCM:DHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256:!RC4" },
      [/^ciphers: DHE-RSA-AES128-GCM-SHA256 is no cipher of Bun's, and is not offered$/],
    ],
    [
      "ciphers for another kind of key",
      { ...pair, ciphers: "ECDHE-RSA-AES128-GCM-SHA256" },
      [
        /^ciphers: none is for a key of kind ec, which certfile: .* has, got '.*': no client of TLS 1.2 gets in$/,
      ],
    ],
    ["nothing, of ciphers for both kinds", { ...files(rsa), ciphers: "ECDHE+AESGCM" }, []],
    [
      "ciphers for an EC key beside one of RSA",
      { ...files(rsa), ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
      [/^ciphers: none is for a key of kind rsa, /],
    ],
    ["nothing, of ciphers of an RSA key", { ...files(rsa), ciphers: "ECDHE+aRSA+AESGCM" }, []],
    [
      "a passphrase for nothing",
      { ...pair, keyfilePasswordFile: file("a") },
      [/^A passphrase is set, and no private key is encrypted$/],
    ],
  ])("warns of %s", (_, changes: Partial<Config>, patterns) => {
    const { got, warnings } = read(changes);
    expect(got).not.toBeNull();
    expect(warnings.length).toBe(patterns.length);
    for (const [at, pattern] of patterns.entries()) expect(warnings[at]).toMatch(pattern);
  });

  test("serves what the hook makes of the files", () => {
    const sslContext: Config["sslContext"] = (_config, factory) => {
      const { certificates, ...rest } = factory();
      const own = { chain: shop.cert, key: shop.key, serverNames: ["Shop.test"] };
      return { ...rest, certificates: [...certificates, own], minVersion: "TLSv1.3" };
    };
    expect(read({ ...pair, sslContext }).got).toMatchObject({
      certificates: [
        { chain: server.chain, serverNames: ["localhost", "*.example.org"] },
        { chain: shop.cert, key: shop.key, serverNames: ["shop.test"] },
      ],
      minVersion: "TLSv1.3",
    });
  });

  test("asks for client certificates by the hook alone", () => {
    const sslContext: Config["sslContext"] = (_config, factory) => {
      return { ...factory(), clientCertificates: "required", ca: root.cert };
    };
    const { got } = read({ ...pair, sslContext });
    expect(got).toMatchObject({ clientCertificates: "required", ca: root.cert });
    const without: Config["sslContext"] = (_config, factory) => ({
      ...factory(),
      clientCertificates: "required",
    });
    expect(() => read({ ...pair, sslContext: without })).toThrow(
      "sslContext: ca: must be set where clientCertificates is required, got null: nobody could get in",
    );
  });
});

test("credentialFiles() names all that is read", () => {
  const tls = [{ certfile: "b.pem", keyfile: null, servername: [] }];
  const changes = { certfile: "a.pem", keyfile: "a.key", caCerts: "/ca.pem", chdir: "/srv", tls };
  expect(credentialFiles({ ...plain, ...changes, keyfilePasswordFile: "p" })).toEqual([
    "/srv/a.pem",
    "/srv/a.key",
    "/srv/b.pem",
    "/ca.pem",
    "/srv/p",
  ]);
});
