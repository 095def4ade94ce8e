import { describe, expect, test } from "bun:test";
import type { PeerCertificate } from "../../../../src/api/worker-server.ts";
import { distinguishedName, factsOf } from "../../../../src/worker/tls/facts.ts";
import { isPlainHttp, reasonOf } from "../../../../src/worker/tls/reason.ts";

test.each<[string, PeerCertificate["subject"], string]>([
  ["one part", { CN: "client" }, "CN=client"],
  ["the last part first", { C: "DE", O: "Example", CN: "client" }, "CN=client,O=Example,C=DE"],
  ["a repeated part", { OU: ["a", "b"], CN: "c" }, "CN=c,OU=b,OU=a"],
  ["signs of its own", { CN: 'a,b+c"d\\e<f>;' }, 'CN=a\\,b\\+c\\"d\\\\e\\<f\\>\\;'],
  ["blanks at the ends", { CN: " a b " }, "CN=\\ a b\\ "],
  ["a blank alone", { CN: " " }, "CN=\\ "],
  ["a hash in front", { CN: "#a#" }, "CN=\\#a#"],
  ["NUL", { CN: "a\0b" }, "CN=a\\00b"],
  ["nothing", {}, ""],
])("distinguishedName() writes %s by RFC 4514", (_name, subject, text) => {
  expect(distinguishedName(subject)).toBe(text);
});

describe("factsOf()", () => {
  const wire = { getTLSVersion: () => "TLSv1.3", getCipher: () => ({ name: "TLS_X" }) };

  test("is one object for all connections without a client certificate", () => {
    const facts = factsOf(wire, null);
    expect(facts).toEqual({ version: "TLSv1.3", cipher: "TLS_X", clientSubject: null });
    expect(factsOf(wire, null)).toBe(facts);
    expect(factsOf({ ...wire, getTLSVersion: () => "TLSv1.2" }, null).version).toBe("TLSv1.2");
  });

  test("names the client", () => {
    expect(factsOf(wire, { subject: { CN: "client" } }).clientSubject).toBe("CN=client");
    expect(factsOf(wire, { subject: { CN: "é" } }).clientSubject).toBe("CN=\xc3\xa9");
    expect(factsOf(wire, null).clientSubject).toBeNull();
  });
});

const openssl = (reason: string) => ({
  code: "EPROTO",
  message: `error:1000009c:SSL routines:OPENSSL_internal:${reason}`,
});

test.each<[string, unknown, string, boolean]>([
  ["plain HTTP", openssl("HTTP_REQUEST"), "http request", true],
  ["CONNECT", openssl("HTTPS_PROXY_REQUEST"), "https proxy request", true],
  ["garbage", openssl("WRONG_VERSION_NUMBER"), "wrong version number", false],
  ["ALPN", openssl("NO_APPLICATION_PROTOCOL"), "no application protocol", false],
  ["a FIN", { code: "ECONNRESET", message: "Client network..." }, "the client has left", false],
  [
    "a certificate",
    { code: "CERT_HAS_EXPIRED", message: "certificate has expired" },
    "certificate has expired",
    false,
  ],
  ["nothing", null, "no reason given", false],
])("reasonOf() %s", (_name, error, reason, isPlain) => {
  expect([reasonOf(error), isPlainHttp(error)]).toEqual([reason, isPlain]);
});
