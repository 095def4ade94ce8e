/** `bun run bench SUBCOMMAND`. */
import { type ArgsDef, type CommandDef, defineCommand, showUsage } from "citty";
import { cleanUpOnSignals } from "./clean-up.ts";
import { diff } from "./diff/diff.ts";
import { engine } from "./engine/engine.ts";
import { BenchError } from "./errors.ts";
import type { Subcommand } from "./options.ts";
import { compare } from "./compare/compare.ts";
import { ratio } from "./ratio/ratio.ts";
import { soak } from "./soak/soak.ts";
import { tune } from "./tune/tune.ts";

const subcommands: readonly Subcommand[] = [tune, compare, engine, ratio, soak, diff];

const bench = defineCommand({
  meta: { name: "bench", description: "Measures gunicorn-ts, alone and beside other servers" },
  subCommands: Object.fromEntries(subcommands.map((each) => [each.name, describe(each)])),
});

/** For the usage only: citty takes any flag, so `Options` reads them. */
function describe({ name, description, flags, words }: Subcommand): CommandDef {
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
  return defineCommand({ meta: { name, description }, args });
}

async function main(words: readonly string[]): Promise<number> {
  const [name = ""] = words;
  const subcommand = subcommands.find((each) => each.name === name);
  if (subcommand === undefined) {
    await showUsage(bench);
    return name === "--help" ? 0 : 2;
  }
  if (words.includes("--help")) {
    await showUsage(describe(subcommand), bench);
    return 0;
  }
  try {
    await subcommand.run(words.slice(1));
    return 0;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(`bench: ${error.message}`);
    return 1;
  }
}

cleanUpOnSignals();
process.exitCode = await main(process.argv.slice(2));
