import { integer } from "../kinds.ts";
import { requestFieldCount } from "../particular-kinds.ts";
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
    kind: requestFieldCount,
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
};
