/** Runs a load generator to its end: it goes with the bench, and its CPU time is taken. */
import { cpus } from "node:os";
import { cleanUp } from "../clean-up.ts";
import type { Report, Turn } from "./driver.ts";

/** Threads of a generator: it shares the machine with the server that it drives. */
export const generatorThreads = Math.max(1, Math.min(16, cpus().length >> 2));

/** Longer than a report takes to be written. */
const againAfterMs = 1000;

export interface GeneratorRun {
  readonly output: string;
  readonly complaints: string;
  readonly cpuUs: number;
}

export interface GeneratorOptions {
  readonly cwd?: string;
  /** When it is to be told to end with a report, for one that can't count parts of a second. */
  readonly interruptAfterMs?: number;
  /** When it is killed, because it hangs. */
  readonly limitMs: number;
}

export async function runGenerator(
  command: readonly string[],
  { cwd = ".", interruptAfterMs, limitMs }: GeneratorOptions,
): Promise<GeneratorRun> {
  const generator = Bun.spawn([...command], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const stop = cleanUp(() => generator.kill("SIGKILL"));
  const timers = [setTimeout(() => generator.kill("SIGKILL"), limitMs)];
  if (interruptAfterMs !== undefined) {
    const interrupt = () => {
      generator.kill("SIGINT");
      // One that comes between its handler and its sleep is lost on wrk, which then sleeps on.
      timers.push(setTimeout(interrupt, againAfterMs));
    };
    timers.push(setTimeout(interrupt, interruptAfterMs));
  }
  const [output, complaints] = await Promise.all([
    new Response(generator.stdout).text(),
    new Response(generator.stderr).text(),
    generator.exited,
  ]);
  for (const timer of timers) clearTimeout(timer);
  stop();
  return { output, complaints, cpuUs: Number(generator.resourceUsage()?.cpuTime.total ?? 0) };
}

/** How much of its own CPUs a generator needed. */
export function busy(
  { durationUs }: Report,
  cpuUs: number,
): Pick<Turn, "driverBusy" | "generatorCpuUs"> {
  return { driverBusy: cpuUs / durationUs / generatorThreads, generatorCpuUs: cpuUs };
}
