/** The facts about the machine without which figures mean little. */
import { cpus, loadavg, release, totalmem } from "node:os";

export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly bun: string;
  /** Of the last minute, before the run. */
  readonly loadBefore: number;
}

export function readMachine(): Machine {
  const processors = cpus();
  return {
    cpus: processors.length,
    model: processors[0]?.model ?? "unknown CPU",
    memoryBytes: totalmem(),
    kernel: release(),
    bun: Bun.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

export function showMachine({ cpus: count, model, memoryBytes, kernel, bun }: Machine): string {
  const memory = `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  return `${count} x ${model}, ${memory}, Linux ${kernel}, Bun ${bun}`;
}
