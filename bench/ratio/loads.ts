/** What is held against a bare Bun.serve, and the targets. A new row is one more entry. */
import type { Figure } from "./figure.ts";
import { measureCpu, measureFramework } from "./measure-cpu.ts";
import { measureIdleMemory } from "./measure-memory.ts";
import { measureStart } from "./measure-start.ts";
import type { Side } from "./sides.ts";

export interface RatioLoad {
  readonly name: string;
  readonly description: string;
  readonly unit: "us CPU/request" | "bytes/connection" | "ms";
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

/** Bun.serve has neither. */
const withoutFeature = "gunicorn-ts without";

export const ratioLoads: readonly RatioLoad[] = [
  {
    name: "hello",
    description: "one request at a time per connection",
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1,
    measure: (side, seconds) => measureCpu(side, "hello", seconds),
  },
  {
    name: "url-and-header",
    description: "the app reads url and one header",
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.05,
    measure: (side, seconds) => measureCpu(side, "url-and-headers", seconds),
  },
  {
    name: "pipelined",
    description: "hello, 16 requests in one write",
    unit: "us CPU/request",
    comparison: "ratio",
    target: 0.2,
    measure: (side, seconds) => measureCpu(side, "pipelined", seconds),
  },
  {
    name: "fixed-64k",
    description: "a response of 64 KiB",
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.05,
    measure: (side, seconds) => measureCpu(side, "fixed-64k", seconds),
  },
  {
    name: "upload",
    description: "1 MiB, read as bytes",
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.05,
    measure: (side, seconds) => measureCpu(side, "upload", seconds),
  },
  {
    name: "access-log",
    description: "hello with an access log in a file, beside gunicorn-ts without",
    beside: withoutFeature,
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.2,
    measure: (side, seconds) => measureFeature(side, "access-log", seconds),
  },
  {
    name: "statsd",
    description: "hello with statsd_host, beside gunicorn-ts without",
    beside: withoutFeature,
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.15,
    measure: (side, seconds) => measureFeature(side, "statsd", seconds),
  },
  {
    name: "express",
    description: "Express' hello, beside the same app by itself",
    beside: withoutUs,
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.15,
    measure: (side, seconds) => measureFramework(side, "express", seconds),
  },
  {
    name: "fastify",
    description: "Fastify's hello, beside the same app by itself",
    beside: withoutUs,
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.15,
    measure: (side, seconds) => measureFramework(side, "fastify", seconds),
  },
  {
    name: "hono",
    description: "Hono's hello, beside the same app by itself",
    beside: withoutUs,
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.05,
    measure: (side, seconds) => measureFramework(side, "hono", seconds),
  },
  {
    name: "idle-memory",
    description: "per idle kept-alive connection",
    unit: "bytes/connection",
    comparison: "ratio",
    target: 1.25,
    measure: (side, seconds) => measureIdleMemory(side, seconds),
  },
  {
    name: "tls",
    description: "hello over TLS",
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.1,
    measure: (side, seconds) => measureCpu(side, "tls", seconds),
  },
  {
    name: "tls-handshakes",
    description: "hello over TLS, a connection for each request",
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.1,
    measure: (side, seconds) => measureCpu(side, "tls-handshakes", seconds),
  },
  {
    name: "tls-1m",
    description: "a response of 1 MiB over TLS",
    unit: "us CPU/request",
    comparison: "ratio",
    target: 1.15,
    measure: (side, seconds) => measureCpu(side, "tls-1m", seconds),
  },
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
    description: "from spawn to the first answer",
    unit: "ms",
    comparison: "difference",
    target: 60,
    measure: (side) => measureStart(side),
  },
];

/** Bun.serve has no such feature: the other side is ours without it. */
function measureFeature(side: Side, name: string, seconds: number): Promise<Figure> {
  return measureCpu(side === "bare" ? "plain" : side, name, seconds);
}
