import { describe, expect, test } from "bun:test";
import {
  type Asker,
  isForeign,
  isPublic,
  mayBeRebound,
  showsToken,
} from "../../../../src/arbiter/admin/guard.ts";
import { parseAddress } from "../../../../src/net/bind-address.ts";

const nobody: Asker = {
  host: "127.0.0.1:9100",
  origin: null,
  fetchSite: null,
  authorization: null,
};

describe("isForeign()", () => {
  const rows: readonly (readonly [what: string, asker: Partial<Asker>, foreign: boolean])[] = [
    ["a program", {}, false],
    ["a program without Host", { host: null }, false],
    ["our page", { origin: "http://127.0.0.1:9100" }, false],
    ["our page behind a proxy with TLS", { origin: "https://127.0.0.1:9100" }, false],
    ["our page, as the browser says", { fetchSite: "same-origin" }, false],
    ["whoever types the address", { fetchSite: "none" }, false],
    [
      "our page behind a proxy with another Host",
      { origin: "https://admin.example.com", fetchSite: "same-origin" },
      false,
    ],
    ["another site", { origin: "http://evil.example" }, true],
    ["another port", { origin: "http://127.0.0.1:9101" }, true],
    ["a file, or a frame in a sandbox", { origin: "null" }, true],
    ["another scheme", { origin: "chrome-extension://127.0.0.1:9100" }, true],
    ["another site, as the browser says", { fetchSite: "cross-site" }, true],
    ["another port, as the browser says", { fetchSite: "same-site" }, true],
  ];
  test.each(rows)("%s", (_what, asker, foreign) => {
    expect(isForeign({ ...nobody, ...asker })).toBe(foreign);
  });
});

describe("mayBeRebound()", () => {
  const rows: readonly (readonly [bind: string, host: string | null, suspected: boolean])[] = [
    ["127.0.0.1:9100", null, false],
    ["127.0.0.1:9100", "127.0.0.1:9100", false],
    ["127.0.0.1:9100", "localhost:9100", false],
    ["127.0.0.1:9100", "LOCALHOST", false],
    ["127.0.0.1:9100", "app.localhost:9100", false],
    ["127.0.0.1:9100", "[::1]:9100", false],
    ["127.0.0.1:9100", "10.1.2.3:9100", false],
    ["127.0.0.1:9100", "app:9100", false],
    ["127.0.0.1:9100", "machine.example.org:9100", false],
    ["127.0.0.1:9100", "evil.example:9100", true],
    ["127.0.0.1:9100", "evil.example", true],
    ["127.0.0.1:9100", "evil.example.:9100", true],
    ["127.0.0.1:9100", "127.0.0.1.evil.example:9100", true],
    ["127.0.0.1:9100", "x.machine.example.org", true],
    ["127.0.0.1:9100", "evil.example:80:80", true],
    ["app.example.com:9100", "APP.example.com:9100", false],
    ["app.example.com:9100", "evil.example.com:9100", true],
    ["unix:admin.sock", "evil.example", false],
  ];
  test.each(rows)("%s asked as %p: %p", (bind, host, suspected) => {
    const whereabouts = { address: parseAddress(bind, "/"), hostname: "machine.example.org" };
    expect(mayBeRebound(host, whereabouts)).toBe(suspected);
  });
});

test.each([
  ["127.0.0.1:1", false],
  ["127.9.9.9:1", false],
  ["localhost:1", false],
  ["[::1]:1", false],
  ["unix:a", false],
  ["0.0.0.0:1", true],
  ["10.0.0.1:1", true],
  ["app.example.com:1", true],
])("isPublic() of %s: %p", (bind, reachable) => {
  expect(isPublic(parseAddress(bind, "/"))).toBe(reachable);
});

test.each([
  [null, null, true],
  ["Bearer a", null, true],
  [null, "a", false],
  ["Bearer a", "a", true],
  ["bearer  a", "a", true],
  ["Bearer b", "a", false],
  ["Bearer a b", "a", false],
  ["Basic a", "a", false],
  ["a", "a", false],
])("showsToken() %p of %p: %p", (authorization, token, shown) => {
  expect(showsToken({ ...nobody, authorization }, token)).toBe(shown);
});
