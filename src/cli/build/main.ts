/** `gunicorn-ts build`: the server, alone or with an app, as one executable. */
import { type ArgDef, defineCommand, runCommand } from "citty";
import { isA } from "../../api/thrown.ts";
import { UsageError } from "../../api/errors.ts";
import { exitCodes } from "../../ipc/exit-codes.ts";
import { AppImportError } from "../../modules/errors.ts";
import { writeFully } from "../../os/write-fully.ts";
import { isExecutable } from "../../own-files.ts";
import { BuildError, compile } from "./compile.ts";
import { optionEntries, readWords, renderHelp, usageLine } from "./words.ts";

/** Runs the words behind `build`. Answers the exit code: 1 for what can't be built, 2 for wrong words, 4 for no such app. */
export async function build(words: readonly string[]): Promise<number> {
  const command = defineCommand({
    meta: { name: "gunicorn-ts build", description: "Makes one executable of Bun, server and app" },
    args: Object.fromEntries(
      optionEntries.map(([name, { short, metavar, description }]): [string, ArgDef] => [
        name,
        metavar === null
          ? { type: "boolean", alias: short, description }
          : { type: "string", alias: short, valueHint: metavar, description },
      ]),
    ),
    run: ({ rawArgs }) => run(rawArgs),
  });
  try {
    return (await runCommand(command, { rawArgs: [...words] })).result as number;
  } catch (error) {
    return report(error);
  }
}

async function run(words: readonly string[]): Promise<number> {
  const asked = readWords(words);
  if (asked === null) {
    writeFully(1, renderHelp());
    return exitCodes.ok;
  }
  if (isExecutable)
    throw new BuildError("an executable builds no other, Bun does: bunx gunicorn-ts build");
  const bytes = await compile(asked, process.cwd());
  writeFully(1, `${asked.outfile}: ${Math.round(bytes / 1e6)} MB, for ${asked.target}\n`);
  return exitCodes.ok;
}

function report(error: unknown): number {
  if (isA(error, UsageError)) {
    writeFully(2, `${usageLine}\ngunicorn-ts build: error: ${error.message}\n`);
    return exitCodes.usage;
  }
  if (isA(error, AppImportError)) {
    writeFully(2, `Error: ${error.message}\n`);
    return exitCodes.appLoad;
  }
  if (!isA(error, BuildError)) throw error;
  writeFully(2, `Error: ${error.message}\n`);
  return exitCodes.configuration;
}
