/** One turn of one side at one value of a curve, by wrk, on a server of its own. */
import { countErrors, plainTraffic, type Traffic } from "../drivers/driver.ts";
import { wrk } from "../drivers/wrk.ts";
import { BenchError } from "../errors.ts";
import { IdleConnections } from "../idle-connections.ts";
import { type Measured, measureTurn, warmUp, warmUpSeconds } from "../measure.ts";
import { anonymousBytesOf, cpuNsOf } from "../process-tree.ts";
import { restedMemory, settledMemory } from "../ratio/measure-memory.ts";
import { type Side, startSide } from "../ratio/sides.ts";
import type { BenchServer } from "../servers/server.ts";
import type { Sample } from "./curve.ts";

/** The machine code of each worker is made by its own requests. */
const warmUpSecondsPerWorker = 0.5;

/** All workers have started when the tree has hardly used a CPU for so long. */
const quiet = { forMs: 100, cpuNs: 5e6, limitMs: 60_000 } as const;

/** A turn without any answer, as on a busy machine, is tried again for twice as long. */
const tries = 4;

/** Before the memory is measured: machine code and caches grow by requests, once. */
const memoryWarmUpSeconds = 2;

/** Larger bodies than engineLimits of bench/servers allow, which are those of a megabyte or so. */
export const bodyWords = ["--limit-request-body", "1000000000"];

const mebibyte = 2 ** 20;

export interface LoadOptions {
  readonly app: string;
  readonly traffic: Traffic;
  readonly workers?: number;
  /** Beside those of the traffic. */
  readonly idleConnections?: number;
}

export async function measureLoad(
  side: Side,
  { app, traffic, workers = 1, idleConnections = 0 }: LoadOptions,
  seconds: number,
  quantitiesOf: (turn: Measured) => readonly (number | null)[],
): Promise<Sample> {
  await using server = startSide(side, app, { workers, words: bodyWords });
  await server.answered();
  await settle(server);
  using idle = await IdleConnections.open(server.url, idleConnections);
  await warmUp(wrk, server, traffic, Math.min(warmUpSeconds, seconds) + workerSeconds(workers));
  const turn = await measureSome(server, traffic, seconds);
  const { othersBusy } = turn;
  return { values: quantitiesOf(turn), errors: countErrors(turn.errors) + idle.ended, othersBusy };
}

function workerSeconds(workers: number): number {
  return (workers - 1) * warmUpSecondsPerWorker;
}

async function measureSome(
  server: BenchServer,
  traffic: Traffic,
  seconds: number,
): Promise<Measured> {
  for (let left = tries - 1, longer = seconds; ; left--, longer *= 2) {
    try {
      return await measureTurn(wrk, server, traffic, longer);
    } catch (error) {
      if (!(error instanceof BenchError) || left === 0 || server.ended) throw error;
    }
  }
}

async function settle({ pid }: BenchServer): Promise<void> {
  const end = performance.now() + quiet.limitMs;
  for (let before = cpuNsOf(pid); performance.now() < end;) {
    await Bun.sleep(quiet.forMs);
    const now = cpuNsOf(pid);
    if (now - before < quiet.cpuNs) return;
    before = now;
  }
  throw new BenchError(`a server's start takes longer than ${quiet.limitMs / 1000} s`);
}

/** MiB that the serving process, and the master, have to themselves behind a load: null for a master that isn't there. */
export async function measureMemory(
  side: Side,
  connections: number,
  seconds: number,
): Promise<Sample> {
  await using server = startSide(side, "collect");
  await server.answered();
  await warmUp(wrk, server, plainTraffic, Math.min(memoryWarmUpSeconds, seconds));
  await settledMemory(server);
  using idle = await IdleConnections.open(server.url, connections);
  const serving = await restedMemory(server);
  const master = server.servingPid === server.pid ? null : anonymousBytesOf(server.pid) / mebibyte;
  return { values: [serving / mebibyte, master], errors: idle.ended, othersBusy: 0 };
}
