import { integer, oneOf } from "../values/kinds.ts";
import { httpProtocols } from "../values/network-kinds.ts";
import { setting } from "../setting.ts";

/** HTTP/2 is Bun.serve's here, and so are the numbers: the defaults are what it does. */
export const http2 = {
  httpProtocols: setting({
    flags: [{ long: "--http-protocols" }],
    kind: httpProtocols,
    default: ["h1"],
    status: "works",
    description: `The protocols offered, the preferred one first
h2 and h3 need TLS, and worker class serve (see docs/http2.md). ALPN chooses between h2 and h1, and prefers h2: it stands
before h1. Without h1, HTTP/1.1 is refused. h3 is HTTP/3, on the UDP port of the same number; it needs one of the others,
and workers to be 1. An address without TLS speaks h1, and HTTP/2 by http2_cleartext.`,
  }),
  http2Cleartext: setting({
    flags: [{ long: "--http2-cleartext" }],
    kind: oneOf("off", "prior-knowledge", "upgrade", "both"),
    default: "off",
    status: "works",
    description: `HTTP/2 on addresses without TLS
prior-knowledge: connections that begin with the preface of HTTP/2 get it, from any peer (Gunicorn: from peers in
forwarded_allow_ips); the others get HTTP/1.1, if http_protocols has h1. HTTP/1.1's \`Upgrade: h2c\` is Gunicorn's only.`,
  }),
  http2MaxConcurrentStreams: setting({
    flags: [{ long: "--http2-max-concurrent-streams" }],
    kind: integer({ min: 1 }),
    default: 256,
    status: "works",
    description: `How many requests one HTTP/2 connection may carry at a time`,
  }),
  http2InitialWindowSize: setting({
    flags: [{ long: "--http2-initial-window-size" }],
    // RFC 9113 §6.9.1.
    kind: integer({ max: 2_147_483_647 }),
    default: 65_536,
    unit: "bytes",
    status: "works",
    description: `The flow-control window that a stream starts with`,
  }),
  http2MaxFrameSize: setting({
    flags: [{ long: "--http2-max-frame-size" }],
    kind: integer({ min: 16_384, max: 16_777_215 }),
    default: 16_384,
    unit: "bytes",
    status: "works",
    description: `The largest frame`,
  }),
  http2MaxHeaderListSize: setting({
    flags: [{ long: "--http2-max-header-list-size" }],
    kind: integer({ zero: "unlimited" }),
    default: 16_384,
    unit: "bytes",
    status: "works",
    description: `The largest header list, decoded`,
  }),
};
