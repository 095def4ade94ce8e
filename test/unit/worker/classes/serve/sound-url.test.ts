/** What is left of test/wire/hosts.test.ts: other places that a server may have. */
import { expect, test } from "bun:test";
import { soundUrl } from "../../../../../src/worker/classes/serve/sound-url.ts";

test.each([
  ["/x?q", null, "unix:///run/web.sock", false, "http://localhost/x?q"],
  ["/x", null, "http://[::]:80/", false, "http://[::]/x"],
  ["//a/b", "", "https://a.example:8443/", true, "https://a.example:8443//a/b"],
  ["https://1.2.3.4.5/x", "1.2.3.4.5", "https://127.0.0.1/", true, "https://127.0.0.1/x"],
  ["[::1]:443", "[::1]:443", "https://127.0.0.1/", true, "https://[::1]/"],
  ["https://a:x/", "a:x", "https://127.0.0.1/", true, null],
] as const)("%j of Host %j at %s", (url, host, place, secure, sound) => {
  const headers = new Headers(host === null ? {} : { host });
  expect(soundUrl(url, headers, { url: new URL(place) }, secure)).toBe(sound);
});
