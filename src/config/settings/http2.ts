import { integer, oneOf } from "../values/kinds.ts";
import { httpProtocols } from "../values/network-kinds.ts";
import { setting } from "../setting.ts";

export const http2 = {
  httpProtocols: setting({
    flags: [{ long: "--http-protocols" }],
    kind: httpProtocols,
    default: ["h1"],
    status: "planned",
    description: `The protocols offered, the preferred one first`,
  }),
  http2Cleartext: setting({
    flags: [{ long: "--http2-cleartext" }],
    kind: oneOf("off", "prior-knowledge", "upgrade", "both"),
    default: "off",
    status: "planned",
    description: `HTTP/2 without TLS, for peers in forwarded_allow_ips`,
  }),
  http2MaxConcurrentStreams: setting({
    flags: [{ long: "--http2-max-concurrent-streams" }],
    kind: integer({ min: 1 }),
    default: 100,
    status: "planned",
    description: `How many requests one HTTP/2 connection may carry at a time`,
  }),
  http2InitialWindowSize: setting({
    flags: [{ long: "--http2-initial-window-size" }],
    // RFC 9113 §6.9.1.
    kind: integer({ max: 2_147_483_647 }),
    default: 65_535,
    unit: "bytes",
    status: "planned",
    description: `The flow-control window that a stream starts with`,
  }),
  http2MaxFrameSize: setting({
    flags: [{ long: "--http2-max-frame-size" }],
    kind: integer({ min: 16_384, max: 16_777_215 }),
    default: 16_384,
    unit: "bytes",
    status: "planned",
    description: `The largest frame`,
  }),
  http2MaxHeaderListSize: setting({
    flags: [{ long: "--http2-max-header-list-size" }],
    kind: integer({ zero: "unlimited" }),
    default: 65_536,
    unit: "bytes",
    status: "planned",
    description: `The largest header list, decoded`,
  }),
};
