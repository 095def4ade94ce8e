/** One turn: what the load generator saw, and what the server's process tree used for it. */
import { type Driver, goodAnswers, type Traffic, type Turn } from "./drivers/driver.ts";
import { NoAnswerError } from "./errors.ts";
import { cpuNsOf, machineCpuNs, residentBytesOf } from "./process-tree.ts";
import type { BenchServer } from "./servers/server.ts";
import { medianOf } from "./statistics.ts";

export interface Measured extends Turn {
  /** Good answers only: a status below 400. */
  readonly requestsPerSecond: number;
  /** User and system, of the whole process tree; null when processes that ended took their time with them. */
  readonly cpuUsPerRequest: number | null;
  /** CPUs that the server kept busy; null as above. */
  readonly cpusUsed: number | null;
  /** Of the whole process tree, behind the turn. */
  readonly residentBytes: number;
  /** CPUs that neither the server nor the load generator kept busy, but somebody else. */
  readonly othersBusy: number;
}

export async function measureTurn(
  driver: Driver,
  server: Pick<BenchServer, "url" | "pid">,
  traffic: Traffic,
  seconds: number,
): Promise<Measured> {
  const machineBefore = machineCpuNs();
  const ownBefore = process.cpuUsage();
  const serverBefore = cpuNsOf(server.pid);
  const begun = Bun.nanoseconds();
  const turn = await driver.run(server.url, traffic, seconds);
  const elapsedNs = Bun.nanoseconds() - begun;
  const spentNs = cpuNsOf(server.pid) - serverBefore;
  const serverNs = Math.max(0, spentNs);
  const own = process.cpuUsage(ownBefore);
  const knownNs = serverNs + (turn.generatorCpuUs + own.user + own.system) * 1000;
  const machineNs = machineCpuNs() - machineBefore;
  return {
    ...turn,
    requestsPerSecond: (goodAnswers(turn) / turn.durationUs) * 1e6,
    cpuUsPerRequest: spentNs > 0 ? spentNs / 1000 / turn.requests : null,
    cpusUsed: spentNs > 0 ? spentNs / elapsedNs : null,
    residentBytes: residentBytesOf(server.pid),
    othersBusy: Math.max(0, (machineNs - knownNs) / elapsedNs),
  };
}

/**
 * Before a turn, so that the JIT has done its work, as in a server that runs for days: pipelined requests take 0.26 of Bun.serve's
 * CPU time after one second, and 0.15 after three. At most so long, less for short turns.
 */
export const warmUpSeconds = 3;

/**
 * The JIT counts calls, not seconds: few requests a second take some more seconds. With answers of 1 MiB it takes 16 us of
 * each of the first 24,000 requests, and less than 1 us of those behind them.
 */
const warmUpRequests = 30_000;
const longestWarmUp = 5;

/**
 * Before turns of `seconds`: until a server has answered many requests, in `warmUpSeconds` or up to five times as long; less for
 * short turns.
 */
export async function warmUpBefore(
  driver: Driver,
  server: Pick<BenchServer, "url">,
  traffic: Traffic,
  seconds: number,
): Promise<void> {
  const once = Math.min(warmUpSeconds, seconds * warmUpSeconds);
  let requests = 0;
  for (let turns = 0; turns < longestWarmUp && requests < warmUpRequests; turns++) {
    requests += await warmUp(driver, server, traffic, once);
    if (once < warmUpSeconds) return;
  }
}

/**
 * Drives a server without looking at the figures. A slow app may not answer in so short a time.
 * @returns how many requests it has answered
 */
export async function warmUp(
  driver: Driver,
  { url }: Pick<BenchServer, "url">,
  traffic: Traffic,
  seconds: number,
): Promise<number> {
  try {
    return (await driver.run(url, traffic, seconds)).requests;
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return 0;
  }
}

/** The figures of those turns that have one. */
export function known(
  turns: readonly Measured[],
  of: (turn: Measured) => number | null,
): readonly number[] {
  return turns.map(of).filter((value) => value !== null);
}

/** Milliseconds; null when the generator can't tell (it says 0). */
export function p99Ms({ p99Us }: Measured): number | null {
  return p99Us > 0 ? p99Us / 1000 : null;
}

/** From so many CPUs on that others use, figures are doubtful. */
const othersMatter = 0.15;

/** A sentence about programs that used the machine meanwhile; null when they hardly did. */
export function describeOthers(turns: readonly Measured[]): string | null {
  const others = medianOf(turns.map(({ othersBusy }) => othersBusy));
  if (others < othersMatter) return null;
  return `Other programs used ${others.toFixed(2)} CPUs meanwhile: repeat it on a quiet machine.`;
}
