import { countUpTo, integer, seconds } from "../values/kinds.ts";
import { setting } from "../setting.ts";

export const security = {
  limitRequestLine: setting({
    flags: [{ long: "--limit-request-line" }],
    kind: integer({ max: 8190, zero: "unlimited" }),
    default: 4094,
    unit: "bytes",
    status: "works",
    description: `The longest request line
Without its line end. A longer one is answered with 414.`,
  }),
  limitRequestFields: setting({
    flags: [{ long: "--limit-request-fields" }],
    kind: countUpTo(32_768),
    default: 100,
    status: "works",
    description: `How many header fields a request may have
One more is answered with 431. 0 means 32768.`,
  }),
  limitRequestFieldSize: setting({
    flags: [{ long: "--limit-request-field_size", alias: "--limit-request-field-size" }],
    kind: integer({ zero: "unlimited" }),
    default: 8190,
    unit: "bytes",
    status: "works",
    description: `The longest header field
Name, value and line end. A longer one is answered with 431.`,
  }),
  limitRequestBody: setting({
    flags: [{ long: "--limit-request-body" }],
    kind: integer({ zero: "unlimited" }),
    default: 0,
    unit: "bytes",
    ours: true,
    status: "works",
    description: `The longest request body
A longer one is answered with 413: at once when Content-Length says so, else when the bytes exceed it.`,
  }),
  headerTimeout: setting({
    flags: [{ long: "--header-timeout" }],
    kind: seconds("never"),
    default: 60,
    ours: true,
    status: "works",
    description: `How long a client may take to send a request's head
Counted from the head's first byte, or from the connection's start. Then the answer is 408, or nothing if no byte came.`,
  }),
  bodyTimeout: setting({
    flags: [{ long: "--body-timeout" }],
    kind: seconds("never"),
    default: 60,
    ours: true,
    status: "works",
    description: `How long a request body may stand still
Any byte starts the count anew, so that a slow upload that moves lives. Then the answer is 408. It doesn't count while
the app itself leaves the body unread.`,
  }),
  writeTimeout: setting({
    flags: [{ long: "--write-timeout" }],
    kind: seconds("never"),
    default: 60,
    ours: true,
    status: "works",
    description: `How long a client may take no byte of an answer
Any byte that it takes starts the count anew. Then the connection is closed.`,
  }),
};
