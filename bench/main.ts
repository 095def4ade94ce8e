/** `bun run bench SUBCOMMAND`. */
import { type CommandDef, defineCommand, runCommand, showUsage } from "citty";
import { cleanUpOnSignals } from "./clean-up.ts";
import { BenchError } from "./errors.ts";
import { parserBench } from "./parser.ts";
import { ratio } from "./ratio.ts";

// citty's types of two commands with different flags don't meet.
const subCommands = { ratio, parser: parserBench } as unknown as Record<string, CommandDef>;

const bench = defineCommand({
  meta: { name: "bench", description: "Measures gunicorn-ts beside other servers" },
  subCommands,
});

async function main(words: readonly string[]): Promise<number> {
  const [name = ""] = words;
  const command = subCommands[name] ?? null;
  if (command === null || words.includes("--help")) {
    if (command === null) await showUsage(bench);
    else await showUsage(command, bench);
    return name === "--help" || command !== null ? 0 : 2;
  }
  try {
    await runCommand(command, { rawArgs: words.slice(1) });
    return 0;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(`bench: ${error.message}`);
    return 1;
  }
}

cleanUpOnSignals();
process.exitCode = await main(process.argv.slice(2));
