import { EarlyWorker } from "../arbiter/act/birth/early-worker.ts";
import { EarlySignals } from "../arbiter/act/master/early-signals.ts";

/** The program: runs the command with the words behind its name. Answers the exit code. */
export async function start(words: readonly string[]): Promise<number> {
  if (words[0] === "ctl") {
    const { ctl } = await import("./ctl/main.ts");
    return ctl(words.slice(1));
  }
  if (words[0] === "build") {
    const { build } = await import("./build/main.ts");
    return build(words.slice(1));
  }
  const signals = new EarlySignals();
  // Signals are taken, and the first worker reads its files, before the rest is read from the disk.
  const early = EarlyWorker.start(words, process.env);
  // It is to be a server: what that needs is read beside the command's files. Where that fails, main.ts will say so.
  if (early !== null) import("../arbiter/main.ts").catch(() => {});
  try {
    const { main } = await import("./main.ts");
    return await main(words, { signals, early });
  } finally {
    await early?.discard();
  }
}
