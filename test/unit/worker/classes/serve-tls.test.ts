import { expect, test } from "bun:test";
import type { TlsCredentials } from "../../../../src/tls/credentials.ts";
import { tlsOptions } from "../../../../src/worker/classes/serve/tls-options.ts";

const credentials: TlsCredentials = {
  certificates: [{ chain: "chain", key: "key", serverNames: ["localhost"] }],
  clientCertificates: "none",
  ca: null,
  ciphers: "ECDHE+AESGCM",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
};
const common = { ciphers: "ECDHE+AESGCM", minVersion: 771, maxVersion: 772 };
const asks = {
  ca: "ca",
  allowPartialTrustChain: true,
  requestCert: true,
  rejectUnauthorized: true,
};
const second = { chain: "chain 2", key: "key 2", serverNames: ["a.test", "*.b.test"] };

test.each<[name: string, Partial<TlsCredentials>, options: readonly object[]]>([
  ["one certificate, for whatever name", {}, [{ ...common, cert: "chain", key: "key" }]],
  [
    "another one, for each name",
    { certificates: [...credentials.certificates, second] },
    [
      { ...common, cert: "chain", key: "key" },
      { ...common, cert: "chain", key: "key", serverName: "localhost" },
      { ...common, cert: "chain 2", key: "key 2", serverName: "a.test" },
      { ...common, cert: "chain 2", key: "key 2", serverName: "*.b.test" },
    ],
  ],
  [
    "required certificates of clients, with every name",
    {
      certificates: [...credentials.certificates, { ...second, serverNames: ["a.test"] }],
      clientCertificates: "required",
      ca: "ca",
    },
    [
      { ...common, ...asks, cert: "chain", key: "key" },
      { ...common, ...asks, cert: "chain", key: "key", serverName: "localhost" },
      { ...common, ...asks, cert: "chain 2", key: "key 2", serverName: "a.test" },
    ],
  ],
  [
    "TLS 1.3 alone",
    { minVersion: "TLSv1.3" },
    [{ ...common, minVersion: 772, cert: "chain", key: "key" }],
  ],
])("tlsOptions(): %s", (_, change, options) => {
  expect(tlsOptions({ ...credentials, ...change })).toEqual(options);
});

test("tlsOptions() never lets in whoever the system trusts", () => {
  expect(() => tlsOptions({ ...credentials, clientCertificates: "required" })).toThrow(
    "without a CA",
  );
});
