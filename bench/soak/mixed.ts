/**
 * `soak --clients mixed`: clients that are slow, that leave and that stream, with HUPs; wrong bytes, descriptors and
 * memory decide.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUp } from "../clean-up.ts";
import { BenchError } from "../errors.ts";
import { childrenOf, namesIn, residentBytesOf } from "../process-tree.ts";
import { Progress } from "../progress.ts";
import { benchApp, gunicornTs } from "../servers/gunicorn-ts.ts";
import { freePort } from "../free-port.ts";
import { BenchServer } from "../servers/server.ts";
import type { Line } from "../statistics.ts";
import type { Seen } from "./mixed-clients.ts";
import { memorySlope, type Sample } from "./report.ts";

const sampleMs = 500;
/** How long the last connections may take to be over when all clients are gone. */
const settleMs = 30_000;
/** Growth within the run that is no leak: heaps differ by that much from one worker to the next. */
const growthShare = 0.1;
const hour = 3600;
const mebibyte = 2 ** 20;

/** Open descriptors: the master's, and those of the worker that has most. */
export interface Descriptors {
  readonly master: number;
  readonly worker: number;
}

export interface MixedSoak {
  readonly seen: Seen;
  readonly before: Descriptors;
  readonly after: Descriptors;
  readonly hups: number;
  /** Of memory in MiB per hour; null when the run was too short for one. */
  readonly slope: Line | null;
  readonly samples: readonly Sample[];
}

export interface MixedSettings {
  readonly seconds: number;
  readonly hupSeconds: number;
  readonly workers: number;
}

function descriptorsOf(master: number): Descriptors {
  const open = (pid: number) => namesIn(`/proc/${pid}/fd`).length;
  return { master: open(master), worker: Math.max(0, ...childrenOf(master).map(open)) };
}

/** Throws BenchError when the server or the clients end before their time. */
export async function soakMixed({
  seconds,
  hupSeconds,
  workers,
}: MixedSettings): Promise<MixedSoak> {
  const port = freePort();
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-soak-"));
  const removed = cleanUp(() => rmSync(folder, { recursive: true, force: true }));
  // An event stream ends by itself in seconds, a slow reader within slowMs of its clients.
  const words = ["--graceful-timeout", "60", "--keep-alive", "5"];
  const command = gunicornTs({ port, workers, app: benchApp("soak"), words });
  try {
    await using server = new BenchServer({ command, port, env: { SOAK_FOLDER: folder } });
    await server.answered();
    // What a process opens once, for its first file and stream, is no leak.
    await clientsFor(port, 3);
    const before = await settled(server.pid, workers, null);
    const samples: Sample[] = [];
    const hups: number[] = [];
    const begunMs = performance.now();
    const elapsed = () => (performance.now() - begunMs) / 1000;
    const progress = new Progress(seconds);
    const sampler = setInterval(() => {
      samples.push({ seconds: elapsed(), bytes: residentBytesOf(server.pid) });
      progress.show(`mixed clients, ${hups.length} HUPs`);
    }, sampleMs);
    const reloader = setInterval(() => {
      server.signal("SIGHUP");
      hups.push(elapsed());
    }, hupSeconds * 1000);
    const stop = cleanUp(() => {
      clearInterval(sampler);
      clearInterval(reloader);
    });
    const seen = await clientsFor(port, seconds).finally(stop);
    progress.end();
    if (server.ended) throw new BenchError("the server has ended");
    const after = await settled(server.pid, workers, before);
    return { seen, before, after, hups: hups.length, slope: memorySlope(samples, hups), samples };
  } finally {
    removed();
  }
}

/** The clients, in a process of their own, for so long and until each has done what it has begun. */
async function clientsFor(port: number, seconds: number): Promise<Seen> {
  const program = join(import.meta.dir, "mixed-clients.ts");
  const child = Bun.spawn([process.execPath, program, String(port), String(seconds)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = cleanUp(() => child.kill("SIGKILL"));
  const output = await child.stdout.text();
  const code = await child.exited;
  ended();
  if (code !== 0) throw new BenchError(`the clients have ended with ${code}`);
  return JSON.parse(output) as Seen;
}

/** The descriptors when all old workers are gone and no more than at the start are open, or when that has taken too long. */
async function settled(
  pid: number,
  workers: number,
  bound: Descriptors | null,
): Promise<Descriptors> {
  const end = performance.now() + settleMs;
  let last: Descriptors | null = null;
  for (;;) {
    const now = descriptorsOf(pid);
    const still = last !== null && now.master === last.master && now.worker === last.worker;
    const within =
      bound === null ? still : now.master <= bound.master && now.worker <= bound.worker;
    if (within && childrenOf(pid).length === workers) return now;
    if (performance.now() > end) return now;
    last = now;
    await Bun.sleep(sampleMs);
  }
}

/** What speaks against the server, one sentence each; empty when nothing does. */
export function faultsOf({ seen, before, after, slope, samples }: MixedSoak): string[] {
  const faults: string[] = [];
  if (seen.faultCount > 0)
    faults.push(`${seen.faultCount} exchanges went wrong: ${seen.faults.join("; ")}`);
  for (const who of ["master", "worker"] as const) {
    if (after[who] > before[who])
      faults.push(`a ${who} has ${after[who]} descriptors open, ${before[who]} at the start`);
  }
  const size = (samples[0]?.bytes ?? 0) / mebibyte;
  const grown =
    slope === null ? 0 : (slope.slope - slope.noise) * ((samples.at(-1)?.seconds ?? 0) / hour);
  if (grown > growthShare * size)
    faults.push(`memory grows, by ${grown.toFixed(0)} MiB at least in this run`);
  return faults;
}

export function renderMixed(soak: MixedSoak): string {
  const { seen, before, after, hups, slope, samples } = soak;
  const done = Object.entries(seen.done).map(([kind, count]) => `${count} ${kind}`);
  const sizes = samples.map(({ bytes }) => bytes / mebibyte);
  const line =
    slope === null
      ? "too short for a slope"
      : `${slope.slope.toFixed(1)} MiB per hour, standard error ${(slope.noise / 2).toFixed(1)}`;
  const faults = faultsOf(soak);
  return [
    `exchanges    ${done.join(", ")}; ${seen.faultCount} went wrong`,
    `events       ${hups} HUPs`,
    `descriptors  master ${before.master}, then ${after.master}; a worker ${before.worker}, then ${after.worker}`,
    `memory       ${Math.min(...sizes).toFixed(0)} to ${Math.max(...sizes).toFixed(0)} MiB; ${line}`,
    "",
    ...(faults.length === 0 ? ["Nothing speaks against the server."] : faults),
    "",
  ].join("\n");
}
