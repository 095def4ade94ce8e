import { expect, test } from "bun:test";
import { ConfigError } from "../../../src/api/errors.ts";
import type { Config } from "../../../src/config/types.ts";
import type { TlsCredentials } from "../../../src/tls/credentials.ts";
import { askHook } from "../../../src/tls/hook-answer.ts";

const right: TlsCredentials = {
  certificates: [{ chain: "chain", key: "key", serverNames: ["A.test"] }],
  clientCertificates: "none",
  ca: null,
  ciphers: "ECDHE+AESGCM",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
};
const [first] = right.certificates;

function ask(answer: unknown) {
  return askHook(
    {} as Config,
    () => answer as TlsCredentials,
    () => right,
  );
}

test("askHook() takes what the factory gives, and says where each text is from", () => {
  const { certificates, ...rest } = ask({ ...right, ca: "ca" });
  expect(certificates).toEqual([
    {
      place: "sslContext: certificates[0].",
      chain: { place: "sslContext: certificates[0].chain", text: "chain" },
      key: { place: "sslContext: certificates[0].key", text: "key" },
      serverNames: ["a.test"],
    },
  ]);
  expect(rest).toMatchObject({
    ca: { place: "sslContext: ca", text: "ca" },
    clientCertificates: "none",
  });
});

test.each([
  [
    "nothing",
    undefined,
    "must give an object with certificates, clientCertificates, ca, ciphers, minVersion, maxVersion, got undefined",
  ],
  [
    "a list",
    [right],
    "must give an object with certificates, clientCertificates, ca, ciphers, minVersion, maxVersion, got a list",
  ],
  ["a promise", Promise.resolve(right), "must give its answer at once, got a promise"],
  [
    "no certificates",
    { ...right, certificates: undefined },
    "certificates: must be a list of one or more, got undefined",
  ],
  [
    "an empty list",
    { ...right, certificates: [] },
    "certificates: must be a list of one or more, got a list",
  ],
  [
    "a key in its place",
    { ...right, certificates: "k".repeat(99) },
    "certificates: must be a list of one or more, got a text",
  ],
  [
    "a text for one",
    { ...right, certificates: ["a"] },
    "certificates[0]: must give an object with chain, key, serverNames, got 'a'",
  ],
  [
    "cert",
    { ...right, certificates: [{ ...first, cert: "a" }] },
    "certificates[0]: must have only chain, key, serverNames, got cert",
  ],
  [
    "a number",
    { ...right, certificates: [first, { ...first, chain: 1 }] },
    "certificates[1].chain: must be a text, got number",
  ],
  [
    "bytes for a key",
    { ...right, certificates: [{ ...first, key: new Uint8Array(9) }] },
    "certificates[0].key: must be a text, got an object",
  ],
  [
    "no names",
    { ...right, certificates: [{ chain: "a", key: "b" }] },
    "certificates[0].serverNames: must be a list of names, got undefined",
  ],
  [
    "a name that is none",
    { ...right, certificates: [{ ...first, serverNames: [1] }] },
    "certificates[0].serverNames: must be a text, got number",
  ],
  [
    "another word",
    { ...right, clientCertificates: "always" },
    "clientCertificates: must be none or optional or required, got 'always'",
  ],
  ["a list of authorities", { ...right, ca: ["a"] }, "ca: must be a text, got a list"],
  ["no ciphers", { ...right, ciphers: null }, "ciphers: must be a text, got null"],
  [
    "an old version",
    { ...right, minVersion: "TLSv1.1" },
    "minVersion: must be TLSv1.2 or TLSv1.3, got 'TLSv1.1'",
  ],
  [
    "a number of a version",
    { ...right, maxVersion: 772 },
    "maxVersion: must be TLSv1.2 or TLSv1.3, got number",
  ],
  [
    "no version between two",
    { ...right, minVersion: "TLSv1.3", maxVersion: "TLSv1.2" },
    "minVersion: must be at most TLSv1.2, got TLSv1.3",
  ],
  [
    "Python's names",
    { ...right, minimumVersion: "TLSv1.3" },
    "must have only certificates, clientCertificates, ca, ciphers, minVersion, maxVersion, got minimumVersion",
  ],
])("askHook() refuses %s", (_, answer, message) => {
  expect(() => ask(answer)).toThrow(new ConfigError(`sslContext: ${message}`));
});

test.each([
  ["an error", new TypeError("no vault\nat all"), "sslContext: no vault"],
  ["what a file is refused with", new ConfigError("certfile: bad"), "certfile: bad"],
  ["a text", "no", 'sslContext: "no"'],
  ["nothing", undefined, "sslContext: undefined"],
])("askHook() hands on %s that is thrown", (_, thrown, message) => {
  const hook = () => {
    throw thrown;
  };
  expect(() => askHook({} as Config, hook, () => right)).toThrow(new ConfigError(message));
});
