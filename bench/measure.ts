/** One turn: what the load generator saw, and what the server's process tree used for it. */
import type { Driver, Traffic, Turn } from "./drivers/driver.ts";
import { cpuNsOf, machineCpuNs, residentBytesOf } from "./process-tree.ts";
import type { BenchServer } from "./servers/server.ts";
import { medianOf } from "./statistics.ts";

export interface Measured extends Turn {
  readonly requestsPerSecond: number;
  /** User and system, of the whole process tree. */
  readonly cpuUsPerRequest: number;
  /** CPUs that the server kept busy. */
  readonly cpusUsed: number;
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
  const serverNs = cpuNsOf(server.pid) - serverBefore;
  const own = process.cpuUsage(ownBefore);
  const knownNs = serverNs + (turn.generatorCpuUs + own.user + own.system) * 1000;
  const machineNs = machineCpuNs() - machineBefore;
  return {
    ...turn,
    requestsPerSecond: (turn.requests / turn.durationUs) * 1e6,
    cpuUsPerRequest: serverNs / 1000 / turn.requests,
    cpusUsed: serverNs / elapsedNs,
    residentBytes: residentBytesOf(server.pid),
    othersBusy: Math.max(0, (machineNs - knownNs) / elapsedNs),
  };
}

/** From so many CPUs on that others use, figures are doubtful. */
const othersMatter = 0.15;

/** A sentence about programs that used the machine meanwhile; null when they hardly did. */
export function describeOthers(turns: readonly Measured[]): string | null {
  const others = medianOf(turns.map(({ othersBusy }) => othersBusy));
  if (others < othersMatter) return null;
  return `Other programs used ${others.toFixed(2)} CPUs meanwhile: repeat it on a quiet machine.`;
}
