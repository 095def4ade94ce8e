/** `bun run bench SUBCOMMAND`. */
import { type ArgsDef, type CommandDef, defineCommand, runMain, showUsage } from "citty";
import { cleanUpOnSignals } from "./clean-up.ts";
import { balance } from "./balance/balance.ts";
import { diff } from "./diff/diff.ts";
import { engine } from "./engine/engine.ts";
import { BenchError } from "./errors.ts";
import { growth } from "./growth/growth.ts";
import type { Subcommand } from "./options.ts";
import { overload } from "./overload/overload.ts";
import { compare } from "./compare/compare.ts";
import { ratio } from "./ratio/ratio.ts";
import { soak } from "./soak/soak.ts";
import { tune } from "./tune/tune.ts";

const subcommands: readonly Subcommand[] = [
  tune,
  compare,
  engine,
  ratio,
  growth,
  soak,
  overload,
  balance,
  diff,
];

const bench = defineCommand({
  meta: { name: "bench", description: "Measures gunicorn-ts, alone and beside other servers" },
  subCommands: Object.fromEntries(subcommands.map((each) => [each.name, commandOf(each)])),
});

/** What citty finds, describes and runs. It takes any flag, so `Options` reads the words once more, strictly. */
function commandOf(subcommand: Subcommand): CommandDef {
  const { name, description, flags, words } = subcommand;
  const args: ArgsDef = Object.fromEntries(
    Object.entries(flags).map(([flag, { type, description, valueHint = "", default: value }]) => [
      flag,
      type === "boolean"
        ? { type, description }
        : { type, description, valueHint, ...(value === undefined ? {} : { default: value }) },
    ]),
  );
  if (words !== undefined) {
    args[words.name] = { type: "positional", required: false, description: words.description };
  }
  return defineCommand({
    meta: { name, description },
    args,
    run: ({ rawArgs }) => run(subcommand, rawArgs),
  });
}

async function run(subcommand: Subcommand, words: readonly string[]): Promise<void> {
  try {
    await subcommand.run(words);
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(`bench: ${error.message}`);
    process.exitCode = 1;
  }
}

cleanUpOnSignals();
const words = process.argv.slice(2);
if (words.length === 0) {
  await showUsage(bench);
  process.exitCode = 2;
} else await runMain(bench, { rawArgs: words });
