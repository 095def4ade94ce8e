import { afterAll, describe, expect, test } from "bun:test";
import { resolveConfig } from "../../../src/config/sources/resolve.ts";
import { readCredentials } from "../../../src/tls/read-credentials.ts";
import { Certificates } from "../../support/certificates.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const root = certificates.make({ name: "Root", ca: true });
const middle = certificates.make({ name: "Middle", ca: true, by: root });
const server = certificates.make({ by: middle, names: ["DNS:*.Example.org", "IP:127.0.0.1"] });
const other = certificates.make({ name: "other.example.org" });

async function read(...words: string[]) {
  const inputs = { argv: words, env: {}, cwd: certificates.folder, generation: 1 };
  const { config } = await resolveConfig({ ...inputs, platform: "linux", cpuCount: () => 1 });
  return readCredentials(config);
}

describe("readCredentials()", () => {
  test("is null without certfile", async () => expect(await read()).toBeNull());

  test("gives chain, key and names", async () => {
    const got = await read("--certfile", server.chainfile, "--keyfile", server.keyfile);
    expect(got?.certificates).toEqual([
      { chain: server.chain, key: server.key, serverNames: ["localhost", "*.example.org"] },
    ]);
    expect(got).toMatchObject({
      clientCertificates: "none",
      ca: null,
      ciphers: "ECDHE+AESGCM:ECDHE+CHACHA20",
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
    });
  });

  test("finds the key in certfile", async () => {
    const both = certificates.file("both.pem", server.key + server.chain);
    const [first] = (await read("--certfile", both))?.certificates ?? [];
    expect([first?.chain, first?.key]).toEqual([server.chain, server.key]);
  });

  test.each([
    ["another certificate's key", () => [server.certfile, other.keyfile]],
    ["no file", () => ["none.pem", server.keyfile]],
    ["a folder", () => [certificates.folder, server.keyfile]],
    ["an empty file", () => [certificates.file("empty.pem", ""), server.keyfile]],
    ["files swapped", () => [server.keyfile, server.certfile]],
  ])("refuses %s in one line", async (_, make) => {
    const [cert = "", key = ""] = make();
    const refused = read("--certfile", cert, "--keyfile", key);
    await expect(refused).rejects.toThrow(/^(cert|key)file: [^\n]+$/);
  });
});
