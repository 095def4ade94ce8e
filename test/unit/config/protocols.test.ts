import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../../src/api/errors.ts";
import { protocolsAt } from "../../../src/config/protocols.ts";
import { resolveConfig } from "../../../src/config/sources/resolve.ts";

function resolve(words: string) {
  return resolveConfig({
    argv: words.split(" "),
    env: {},
    cwd: import.meta.dir,
    generation: 1,
    platform: "linux",
    cpuCount: () => 7,
  });
}

const http1Only = "speaks HTTP/1.1 only, use --worker-class serve";
const tls = "--certfile a.pem";
const serve = "-k serve";
const h2c = "--http2-cleartext prior-knowledge";

describe("checkRules() refuses", () => {
  test.each([
    // Classes with the engine of our own.
    [
      `${tls} --http-protocols h2,h1`,
      `--http-protocols: can't be h2,h1 with worker class async: it ${http1Only}`,
    ],
    [
      `-k sync ${tls} --http-protocols h2`,
      `--http-protocols: can't be h2 with worker class sync: it ${http1Only}`,
    ],
    [
      `${tls} --http-protocols h3,h1`,
      `--http-protocols: can't be h3,h1 with worker class async: it ${http1Only}`,
    ],
    [h2c, `--http2-cleartext: can't be prior-knowledge with worker class async: it ${http1Only}`],
    [
      `-k sync ${h2c}`,
      `--http2-cleartext: can't be prior-knowledge with worker class sync: it ${http1Only}`,
    ],
    [
      "--http2-max-concurrent-streams 256",
      `--http2-max-concurrent-streams: can't be set with worker class async: it ${http1Only}`,
    ],
    [
      "--http2-max-frame-size 16384",
      `--http2-max-frame-size: can't be set with worker class async: it ${http1Only}`,
    ],
    // Bun.serve's own numbers.
    [
      `${serve} ${h2c} --http2-max-concurrent-streams 100`,
      "--http2-max-concurrent-streams: can't be 100 with worker class serve: Bun.serve's own is 256, and can't be set",
    ],
    [
      `${serve} ${h2c} --http2-initial-window-size 65535`,
      "--http2-initial-window-size: can't be 65535 with worker class serve: Bun.serve's own is 65536, and can't be set",
    ],
    [
      `${serve} ${h2c} --http2-max-frame-size 16385`,
      "--http2-max-frame-size: can't be 16385 with worker class serve: Bun.serve's own is 16384, and can't be set",
    ],
    [
      `${serve} ${h2c} --http2-max-header-list-size 0`,
      "--http2-max-header-list-size: can't be 0 with worker class serve: Bun.serve's own is 16384, and can't be set",
    ],
    // What Bun.serve doesn't do.
    [
      `${serve} --http2-cleartext upgrade`,
      "--http2-cleartext: can't be upgrade with worker class serve: Bun.serve ignores `Upgrade: h2c`, use prior-knowledge",
    ],
    [
      `${serve} --http2-cleartext both`,
      "--http2-cleartext: can't be both with worker class serve: Bun.serve ignores `Upgrade: h2c`, use prior-knowledge",
    ],
    [
      `${serve} ${tls} --http-protocols h1,h2`,
      "--http-protocols: h2 must stand before h1, Bun.serve prefers it: say h2,h1",
    ],
    [
      `${serve} ${tls} --http-protocols h3,h1,h2`,
      "--http-protocols: h2 must stand before h1, Bun.serve prefers it: say h2,h1",
    ],
    // Protocols that no address would speak.
    [
      `${serve} --http-protocols h2,h1`,
      "--http-protocols: h2 needs TLS by certfile, or --http2-cleartext prior-knowledge",
    ],
    [
      `${serve} --http-protocols h2`,
      "--http-protocols: h2 needs TLS by certfile, or --http2-cleartext prior-knowledge",
    ],
    [`${serve} --http-protocols h3,h1`, "--http-protocols: h3 needs TLS, and certfile isn't set"],
    [
      `${serve} ${h2c} --http-protocols h3,h1`,
      "--http-protocols: h3 needs TLS, and certfile isn't set",
    ],
    [
      `${serve} ${tls} ${h2c}`,
      "--http2-cleartext: prior-knowledge is for addresses without TLS, and there is none",
    ],
    [
      `${serve} -b https://:1 -b https://:2 ${tls} ${h2c}`,
      "--http2-cleartext: prior-knowledge is for addresses without TLS, and there is none",
    ],
    [
      `${serve} --http2-max-frame-size 16384`,
      "--http2-max-frame-size: needs HTTP/2, see http_protocols",
    ],
    [
      `${serve} ${tls} --http2-max-concurrent-streams 256`,
      "--http2-max-concurrent-streams: needs HTTP/2, see http_protocols",
    ],
    // Addresses that would speak none.
    [
      `${serve} -b https://:1 -b :2 ${tls} --http-protocols h2`,
      "--http-protocols: without h1, :2 speaks nothing: it has no TLS",
    ],
    [
      `${serve} -b https://:1 -b http://:2 ${tls} --http-protocols h3,h2`,
      "--http-protocols: without h1, http://:2 speaks nothing: it has no TLS",
    ],
    // One UDP port.
    [
      `${serve} ${tls} --http-protocols h3`,
      "--http-protocols: h3 needs h2 or h1 beside it, whose answers tell clients of it",
    ],
    [
      `${serve} ${tls} -w 2 --http-protocols h3,h1`,
      "--http-protocols: h3 needs workers to be 1, got 2: one process has the UDP port",
    ],
  ])("%s", async (words, message) => {
    await expect(resolve(words)).rejects.toThrow(new ConfigError(message));
  });
});

describe("checkRules() takes", () => {
  test.each([
    "--http-protocols h1",
    "-k sync --http2-cleartext off",
    `${serve} ${tls} -w 4 --http-protocols h2,h1`,
    `${serve} ${tls} --http-protocols h2`,
    `${serve} ${tls} --http-protocols h3,h2,h1`,
    `${serve} ${tls} --http-protocols h2,h1,h3`,
    `${serve} ${tls} --http-protocols h3,h1`,
    `${serve} ${h2c}`,
    `${serve} ${h2c} --http-protocols h2`,
    `${serve} ${h2c} --http-protocols h2,h1 --http2-max-concurrent-streams 256`,
    `${serve} ${tls} -b https://:1 -b :2 ${h2c} --http-protocols h3,h2`,
    `${serve} ${tls} --http-protocols h2,h1 --http2-initial-window-size 65536 --http2-max-header-list-size 16384`,
  ])("%s", async (words) => {
    await resolve(words);
  });
});

test.each([
  [["h1"], "off", true, "http1"],
  [["h1"], "prior-knowledge", true, "http1"],
  [["h2", "h1"], "off", true, "http1 http2"],
  [["h3", "h2", "h1"], "off", true, "http1 http2 http3"],
  [["h3"], "off", true, "http3"],
  [["h1"], "off", false, "http1"],
  [["h3", "h2", "h1"], "off", false, "http1"],
  [["h1"], "prior-knowledge", false, "http1 http2"],
  [["h3", "h2"], "prior-knowledge", false, "http2"],
] as const)(
  "protocolsAt(%p, %s, secure: %p): %s",
  (httpProtocols, http2Cleartext, secure, words) => {
    const speaks = protocolsAt({ httpProtocols, http2Cleartext }, secure);
    const spoken = Object.entries(speaks).filter(([, does]) => does);
    expect(spoken.map(([name]) => name).join(" ")).toBe(words);
  },
);
