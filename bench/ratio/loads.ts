/** What is held against a bare Bun.serve, or against ours without a part of it, and the targets. A new row is one more entry. */
import type { Framework } from "../frameworks/side.ts";
import type { Figure } from "./figure.ts";
import {
  type CpuOptions,
  measureCpu,
  measureFramework,
  measureTraced,
  measureWatched,
} from "./measure-cpu.ts";
import { measureEventLatency } from "./measure-latency.ts";
import { measureIdleMemory } from "./measure-memory.ts";
import { measurePackageStart, measureStart } from "./measure-start.ts";
import type { Side } from "./sides.ts";

export interface RatioLoad {
  readonly name: string;
  readonly description: string;
  readonly unit: "us CPU/request" | "bytes/connection" | "ms" | "us";
  /** What the other side is, where it isn't a bare Bun.serve. */
  readonly beside?: string;
  /** How the two sides are compared: ours / bare, or ours - bare in the load's unit. */
  readonly comparison: "ratio" | "difference";
  /** The comparison's highest value that is good enough. */
  readonly target: number;
  measure(side: Side, seconds: number): Promise<Figure>;
}

/** The other side of a framework. */
const withoutUs = "by itself";

/** The other side of what ours can have switched on. */
const switchedOff = "without it";

export const ratioLoads: readonly RatioLoad[] = [
  cpu("hello", "one request at a time per connection", 1),
  cpu("unique", "hello, each request with a cookie and a traceparent of its own", 1.03),
  cpu("url-and-header", "the app reads url and one header", 0.9, { load: "url-and-headers" }),
  cpu("six-headers", "six fields set by the app", 1),
  cpu("async", "a handler that waits for one promise", 1),
  cpu("pipelined", "hello, 16 requests in one write", 0.2),
  cpu("text-64k", "a text of 64 KiB, ASCII", 1.05),
  cpu("latin-64k", "a text of 64 KiB, all letters beyond ASCII", 0.5),
  cpu("fixed-64k", "64 KiB of bytes", 1.2),
  cpu("json-100k", "Response.json() of some 100 KiB", 1),
  cpu("file-16k", "a file of 16 KiB", 0.85),
  cpu("file-1m", "a file of 1 MiB", 0.8),
  cpu("stream", "a ReadableStream of 16 chunks of 4 KiB", 0.95),
  cpu("generator", "an async generator of 16 chunks of 4 KiB", 1),
  cpu("post-json", "2 KiB of JSON, read by json()", 1),
  cpu("upload", "1 MiB, read as bytes", 1.1),
  cpu("multipart", "a form with a file of 1 MiB, read by formData()", 1.1),
  cpu("two-workers", "hello with -w 2, beside two Bun.serve with reusePort", 1, {
    load: "hello",
    workers: 2,
  }),
  cpu("access-log", "hello with an access log in a file, beside Bun.serve without", 1.1),
  cpu("statsd", "hello with statsd_host, beside Bun.serve without", 1.1),
  {
    name: "control-room",
    description: "hello, its metrics asked for each second, its page open",
    unit: "us CPU/request",
    beside: switchedOff,
    comparison: "ratio",
    target: 1.03,
    measure: measureWatched,
  },
  {
    name: "traces",
    description: "hello with otel_endpoint, one request of a hundred sampled",
    unit: "us CPU/request",
    beside: switchedOff,
    comparison: "ratio",
    target: 1.05,
    measure: measureTraced,
  },
  framework("express", "Express' hello, beside the same app by itself", 1.15),
  framework("fastify", "Fastify's hello, beside the same app by itself", 1.15),
  framework("hono", "Hono's hello, beside the same app by itself", 1.05),
  {
    name: "event-latency",
    description: "an event of a stream: from the request that causes it to its reader",
    unit: "us",
    comparison: "ratio",
    target: 1,
    measure: measureEventLatency,
  },
  {
    name: "idle-memory",
    description: "per idle kept-alive connection",
    unit: "bytes/connection",
    comparison: "ratio",
    target: 1,
    measure: (side, seconds) => measureIdleMemory(side, seconds),
  },
  cpu("tls", "hello over TLS", 1.1),
  cpu("tls-handshakes", "hello over TLS, a connection for each request", 1.1),
  cpu("tls-1m", "a response of 1 MiB over TLS", 1.15),
  {
    name: "tls-idle-memory",
    description: "per idle kept-alive connection over TLS",
    unit: "bytes/connection",
    comparison: "ratio",
    target: 1.3,
    measure: (side, seconds) => measureIdleMemory(side, seconds, true),
  },
  {
    name: "start",
    description: "from spawn to the first answer, of a checkout's sources",
    unit: "ms",
    comparison: "difference",
    target: 35,
    measure: (side) => measureStart(side),
  },
  {
    name: "start-package",
    description: "the same of what a user installs, the bundle",
    unit: "ms",
    comparison: "difference",
    target: 35,
    measure: (side) => measurePackageStart(side),
  },
];

/** @param options.load is one of bench/loads; without it the one of that name */
function cpu(
  name: string,
  description: string,
  target: number,
  { load = name, ...options }: CpuOptions & { readonly load?: string } = {},
): RatioLoad {
  const measure: RatioLoad["measure"] = (side, seconds) => measureCpu(side, load, seconds, options);
  return { name, description, unit: "us CPU/request", comparison: "ratio", target, measure };
}

function framework(name: Framework, description: string, target: number): RatioLoad {
  const measure: RatioLoad["measure"] = (side, seconds) => measureFramework(side, name, seconds);
  const shown = { name, description, beside: withoutUs };
  return { ...shown, unit: "us CPU/request", comparison: "ratio", target, measure };
}
