import { EarlySignals } from "../arbiter/act/master/early-signals.ts";

/** The program: runs the command with the words behind its name. Answers the exit code. */
export async function start(words: readonly string[]): Promise<number> {
  const signals = new EarlySignals();
  // Signals are taken before the rest is read from the disk.
  const { main } = await import("./main.ts");
  return main(words, signals);
}
