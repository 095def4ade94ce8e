import { expect, test } from "bun:test";
import { ConfigError } from "../../../../src/api/errors.ts";
import { sslVersion, tlsEntries } from "../../../../src/config/values/tls-kinds.ts";
import { facts } from "../facts.ts";

test.each([
  ["TLS", "TLS"],
  ["TLS_SERVER", "TLS"],
  ["SSLv23", "TLS"],
  ["PROTOCOL_TLS", "TLS"],
  [2, "TLS"],
  ["17", "TLS"],
  ["TLSv1_2", "TLSv1_2"],
  [" tlsv1_2 ", "TLSv1_2"],
  ["PROTOCOL_TLSv1_2", "TLSv1_2"],
  [5, "TLSv1_2"],
  ["TLSv1_3", "TLSv1_3"],
])("ssl_version %p is %s", (value, version) => {
  expect(sslVersion.parse(value, facts)).toBe(version as "TLS");
});

const old = ": Bun has nothing older than TLS 1.2";
test.each([
  ["SSLv2", `'SSLv2'${old}`],
  ["PROTOCOL_SSLv3", `'PROTOCOL_SSLv3'${old}`],
  ["TLSv1", `'TLSv1'${old}`],
  ["TLSv1_1", `'TLSv1_1'${old}`],
  [3, `3${old}`],
  ["TLS_CLIENT", "'TLS_CLIENT': it is for clients"],
  ["1.3", "'1.3'"],
  ["TLSv1.3", "'TLSv1.3'"],
  ["", "''"],
  [null, "null"],
  ["toString", "'toString'"],
])("ssl_version %p is refused", (value, got) => {
  expect(() => sslVersion.parse(value, facts)).toThrow(
    new ConfigError(`must be TLS, TLSv1_2 or TLSv1_3, got ${got}`),
  );
});

test.each([
  [[], []],
  [{ certfile: " a " }, [{ certfile: "a", keyfile: null, servername: [] }]],
  [
    [{ certfile: "a", keyfile: "b", servername: "A.Test" }],
    [{ certfile: "a", keyfile: "b", servername: ["a.test"] }],
  ],
  [
    [{ certfile: "a", keyfile: null, servername: ["a", "B"] }],
    [{ certfile: "a", keyfile: null, servername: ["a", "b"] }],
  ],
])("tls: takes %j", (value, entries) => expect(tlsEntries.parse(value, facts)).toEqual(entries));

const list = "must be a list of { certfile, keyfile, servername }, got";
test.each([
  ["a.pem", `${list} 'a.pem'`],
  [null, `${list} null`],
  [["a.pem"], `${list} 'a.pem'`],
  [[{}], "[0].certfile: must be a text, got undefined"],
  [[{ certfile: "" }], "[0].certfile: must be a text, got ''"],
  [[{ certfile: "a" }, { certfile: "a", keyfile: 1 }], "[1].keyfile: must be a text, got 1"],
  [[{ certfile: "a", servername: [""] }], "[0].servername: must be a text, got ''"],
  [[{ certfile: "a", key: "b" }], "[0]: knows certfile, keyfile and servername, got key"],
])("tls: refuses %j", (value, message) => {
  expect(() => tlsEntries.parse(value, facts)).toThrow(new ConfigError(message));
});
