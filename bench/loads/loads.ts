/** The loads: an app, and what is sent to it. A new one is one more entry. */
import { plainTraffic, type Traffic } from "../drivers/driver.ts";

/** What a server must have switched on for a load. */
export type Feature = "access log" | "statsD" | "TLS";

export interface Load {
  readonly name: string;
  readonly description: string;
  /** A file of bench/apps. */
  readonly app: string;
  readonly traffic: Traffic;
  readonly feature: Feature | null;
  /** The number of workers makes a difference to it, and `tune` runs it unasked. */
  readonly tuned: boolean;
  /** A count that is known to be bad for it: what `tune --verify` holds the recommended one against. */
  readonly badWorkers: "too many" | "one";
}

export const loads: readonly Load[] = [
  {
    name: "hello",
    description: "a short text",
    app: "hello",
    traffic: plainTraffic,
    feature: null,
    tuned: true,
    badWorkers: "too many",
  },
  {
    name: "json",
    description: "an object of ten rows, serialised each time",
    app: "json",
    traffic: plainTraffic,
    feature: null,
    tuned: true,
    badWorkers: "too many",
  },
  {
    name: "url-and-headers",
    description: "the app reads the URL and a header",
    app: "url-and-header",
    traffic: plainTraffic,
    feature: null,
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "fixed-64k",
    description: "an answer of 64 KiB",
    app: "fixed-64k",
    traffic: plainTraffic,
    feature: null,
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "upload",
    description: "1 MiB of body, read as bytes",
    app: "upload",
    traffic: { ...plainTraffic, method: "POST", bodyBytes: 2 ** 20 },
    feature: null,
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "cpu",
    description: "about 2 ms of work",
    app: "cpu",
    traffic: plainTraffic,
    feature: null,
    tuned: true,
    badWorkers: "one",
  },
  {
    name: "io-wait",
    description: "20 ms of waiting",
    app: "io-wait",
    traffic: plainTraffic,
    feature: null,
    tuned: true,
    badWorkers: "too many",
  },
  {
    name: "mixed",
    description: "of ten requests five texts, three objects, one wait and one of work",
    app: "mixed",
    traffic: {
      ...plainTraffic,
      paths: ["/", "/json", "/read", "/", "/wait", "/json", "/read", "/", "/cpu", "/json"],
    },
    feature: null,
    tuned: true,
    badWorkers: "one",
  },
  {
    name: "new-connections",
    description: "a connection for each request",
    app: "hello",
    traffic: { ...plainTraffic, newConnections: true },
    feature: null,
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "pipelined",
    description: "16 requests in one write",
    app: "hello",
    traffic: { ...plainTraffic, pipelineDepth: 16 },
    feature: null,
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "access-log",
    description: "hello, each request logged to a file",
    app: "hello",
    traffic: plainTraffic,
    feature: "access log",
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "statsd",
    description: "hello, each request counted by statsD",
    app: "hello",
    traffic: plainTraffic,
    feature: "statsD",
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "tls",
    description: "hello over TLS",
    app: "hello",
    traffic: plainTraffic,
    feature: "TLS",
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "tls-handshakes",
    description: "hello over TLS, a connection for each request",
    app: "hello",
    traffic: { ...plainTraffic, newConnections: true },
    feature: "TLS",
    tuned: false,
    badWorkers: "too many",
  },
  {
    name: "tls-1m",
    description: "an answer of 1 MiB over TLS",
    app: "fixed-1m",
    traffic: plainTraffic,
    feature: "TLS",
    tuned: false,
    badWorkers: "too many",
  },
];

export const loadFlag = {
  type: "string",
  multiple: true,
  valueHint: "NAME",
  description: `Only this load, repeatable: ${loads.map(({ name }) => name).join(", ")}`,
} as const;
