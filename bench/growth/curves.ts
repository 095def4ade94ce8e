/** The curves. A new one is one more entry. */
import { plainTraffic } from "../drivers/driver.ts";
import { checkDescriptors } from "../idle-connections.ts";
import type { Measured } from "../measure.ts";
import type { Side } from "../ratio/sides.ts";
import type { Curve, Quantity } from "./curve.ts";
import { type Direction, measureLargeBodies } from "./large-bodies.ts";
import { bodyWords, measureLoad, measureMemory } from "./measure.ts";

const kibibyte = 1024;
const mebibyte = 2 ** 20;

const cpu: Quantity = {
  name: "CPU per request",
  unit: "us",
  column: "us CPU/request",
  better: "less",
};
const rate: Quantity = {
  name: "requests per second",
  unit: "req/s",
  column: "req/s",
  better: "more",
};

const bodySizes = [kibibyte, 32 * kibibyte, mebibyte, 10 * mebibyte, 100 * mebibyte];

/** For wrk; those that are larger take a client of their own. */
const largest = mebibyte;

/** Few for large bodies, so that a turn has few that aren't finished at its end. */
function connectionsFor(bodyBytes: number): number {
  return bodyBytes >= mebibyte ? 8 : plainTraffic.connections;
}

const measureLarge = (side: Side, direction: Direction, bytes: number, seconds: number) =>
  measureLargeBodies(side, direction, bytes, seconds, bodyWords);

const cpuOf = ({ cpuUsPerRequest }: Measured) => [cpuUsPerRequest];

function showBytes(bytes: number): string {
  return bytes < mebibyte ? `${bytes / kibibyte} KiB` : `${bytes / mebibyte} MiB`;
}

/** Of a body, either way. */
const bySize = {
  xName: "size",
  xs: bodySizes,
  scale: "log",
  showX: showBytes,
  quantities: [cpu],
  each: { name: "us for each further MiB", per: mebibyte, factor: 1 },
} as const;

export const curves: readonly Curve[] = [
  {
    name: "connections",
    title: "Idle connections",
    description: "hello on 64 busy connections, beside so many that are open and idle",
    xName: "idle connections",
    xs: [10, 1000, 10_000],
    scale: "linear",
    showX: String,
    quantities: [cpu],
    why: "Not quite flat: ten times a second each connection is asked whether its time is over, some 1 % of a CPU at 10,000, and all code runs a little slower beside more memory in use; no function's share grows, nor the number of garbage collections.",
    check: (xs) => checkDescriptors(Math.max(...xs)),
    measure: (side, idleConnections, seconds) =>
      measureLoad(
        side,
        { app: "hello", traffic: plainTraffic, idleConnections },
        seconds,
        (turn) => [turn.cpuUsPerRequest],
      ),
  },
  {
    name: "headers",
    title: "Header fields",
    description: "hello with so many request header fields, of which the app reads none",
    xName: "fields",
    xs: [1, 10, 100],
    scale: "linear",
    showX: String,
    quantities: [cpu],
    each: { name: "ns for each further field", per: 1, factor: 1000 },
    why: "Nearly flat: a head of up to 8 KiB that comes again byte by byte is compared with the last one in place of being read.",
    measure: (side, fields, seconds) =>
      measureLoad(side, { app: "hello", traffic: { ...plainTraffic, fields } }, seconds, cpuOf),
  },
  {
    name: "uploads",
    title: "Request bodies",
    description: "a body of such a size, which the app reads as bytes",
    ...bySize,
    why: "Linear up to some MiB, whose memory is used again; the memory of a larger body comes from the kernel and goes back to it, and at 100 MiB most of the CPU time goes into page faults and clearing pages, on both sides.",
    measure: (side, bodyBytes, seconds) => {
      if (bodyBytes > largest) return measureLarge(side, "upload", bodyBytes, seconds);
      const connections = connectionsFor(bodyBytes);
      const traffic = { ...plainTraffic, method: "POST", bodyBytes, connections } as const;
      return measureLoad(side, { app: "sized", traffic }, seconds, cpuOf);
    },
  },
  {
    name: "answers",
    title: "Response bodies",
    description: "an answer of so many bytes, which the app has",
    ...bySize,
    why: "What a request costs by itself counts up to some 32 KiB; then it is linear, as two copies are all there is: Bun's, of the bytes that the app may change behind it, and the kernel's into the socket.",
    measure: (side, bytes, seconds) => {
      if (bytes > largest) return measureLarge(side, "answer", bytes, seconds);
      const paths = [`/${bytes}`];
      const traffic = { ...plainTraffic, paths, connections: connectionsFor(bytes) };
      return measureLoad(side, { app: "sized", traffic }, seconds, cpuOf);
    },
  },
  {
    name: "workers",
    title: "Workers",
    description:
      "hello on 64 connections, and the memory of all processes behind it; Bun.serve in as many processes with reusePort",
    xName: "workers",
    xs: [1, 2, 4, 8, 16],
    scale: "linear",
    showX: String,
    quantities: [
      cpu,
      rate,
      { name: "memory of all processes", unit: "MiB", column: "MiB", better: "less" },
    ],
    why: "With more workers than CPUs each has fewer of the connections, so that a turn of its event loop, with its system call and the switch of the CPU to it, serves fewer requests; a further worker adds less memory than the first, with which the program's own pages are counted.",
    measure: (side, workers, seconds) =>
      measureLoad(side, { app: "hello", traffic: plainTraffic, workers }, seconds, (turn) => [
        turn.cpuUsPerRequest,
        turn.requestsPerSecond,
        turn.residentBytes / mebibyte,
      ]),
  },
  {
    name: "memory",
    title: "Memory",
    description:
      "what a worker, and the master, have to themselves behind a load, at rest (0 connections) and beside so many connections that are open and idle",
    xName: "idle connections",
    xs: [0, 1000, 10_000],
    scale: "linear",
    showX: String,
    quantities: [
      { name: "memory of a worker", unit: "MiB", column: "worker, MiB", better: "less" },
      {
        name: "memory of the master",
        unit: "MiB",
        column: "master, MiB",
        better: "less",
        oursOnly: true,
      },
    ],
    once: true,
    each: { name: "bytes for each further connection", per: 1, factor: mebibyte },
    why: "Linear: what a thousand connections hold is hardly more than what a heap differs by from run to run. The master holds no connection, so that nothing grows there.",
    check: (xs) => checkDescriptors(Math.max(...xs)),
    measure: measureMemory,
  },
];
