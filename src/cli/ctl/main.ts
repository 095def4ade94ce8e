/** `gunicorn-ts ctl`: one command to a running server. */
import { type ArgDef, defineCommand, runCommand } from "citty";
import { isA } from "../../api/thrown.ts";
import { UsageError } from "../../api/errors.ts";
import { exitCodes } from "../../ipc/exit-codes.ts";
import { describeError } from "../../log/lines/describe-error.ts";
import { writeFully } from "../../os/write-fully.ts";
import { Client, type Data, Refused, Unreachable } from "./client.ts";
import { findSocket } from "./find-socket.ts";
import { layouts } from "./layouts.ts";
import { isReady, poll, reloaded, stats, TimedOut } from "./waiting.ts";
import { type Asked, helpRows, isShell, optionEntries, readWords } from "./words.ts";

/** Beside those of the server: its refusal is a 1, words that don't parse are a 2. */
export const ctlExitCodes = {
  ok: exitCodes.ok,
  refused: exitCodes.configuration,
  usage: exitCodes.usage,
  unreachable: 3,
  timedOut: 4,
} as const;

export const usageLine = "usage: gunicorn-ts ctl [OPTIONS] COMMAND";

/** Runs the words behind `ctl`. Answers the exit code. */
export async function ctl(words: readonly string[]): Promise<number> {
  const command = defineCommand({
    meta: { name: "gunicorn-ts ctl", description: "Sees and steers a running server" },
    args: Object.fromEntries(optionEntries.map(([name, row]) => [name, argOf(row)])),
    run: ({ rawArgs }) => run(rawArgs),
  });
  try {
    return (await runCommand(command, { rawArgs: [...words] })).result as number;
  } catch (error) {
    return report(error);
  }
}

function argOf({ short, metavar, description }: (typeof optionEntries)[number][1]): ArgDef {
  const shared = { description, ...(short === null ? {} : { alias: short }) };
  return metavar === null
    ? { ...shared, type: "boolean" }
    : { ...shared, type: "string", valueHint: metavar };
}

async function run(words: readonly string[]): Promise<number> {
  const asked = readWords(words);
  if (asked === null) {
    writeFully(1, renderHelp());
    return words.length === 0 ? ctlExitCodes.usage : ctlExitCodes.ok;
  }
  const { name } = asked;
  switch (name) {
    case "wait":
      print(asked, await waitForReady(asked), () => "Ready\n");
      return ctlExitCodes.ok;
    case "top":
      await top(asked);
      return ctlExitCodes.ok;
    case "tune": {
      const { data, shown } = await tuned(asked);
      print(asked, data, () => shown);
      return ctlExitCodes.ok;
    }
    case "heap":
    case "profile":
      print(asked, await dumpTo(asked, name), layouts[name]);
      return ctlExitCodes.ok;
    case "completion": {
      const { completionScript } = await import("./completion.ts");
      const [, shell] = asked.words;
      if (isShell(shell)) writeFully(1, completionScript(shell));
      return ctlExitCodes.ok;
    }
    default:
      print(asked, await askOnce(asked), layouts[name]);
      return ctlExitCodes.ok;
  }
}

function print({ json }: Asked, data: Data, layout: (data: Data) => string): void {
  writeFully(1, json ? `${JSON.stringify(data, null, 2)}\n` : layout(data));
}

async function top(asked: Asked): Promise<void> {
  const { drawTop, showOnce } = await import("./top.ts");
  using client = await Client.connect(socketOf(asked));
  if (process.stdin.isTTY && process.stdout.isTTY && !asked.json) return await drawTop(client);
  const { data, shown } = await showOnce(client);
  print(asked, data, () => shown);
}

async function tuned(asked: Asked): Promise<{ data: Data; shown: string }> {
  const { tune } = await import("./tune.ts");
  using client = await Client.connect(socketOf(asked));
  // A minute of silence looks like a server that hangs.
  if (process.stderr.isTTY) writeFully(2, `Watching for ${asked.watchMs / 1000} s\n`);
  return await tune(client, asked);
}

async function askOnce(asked: Asked): Promise<Data> {
  using client = await Client.connect(socketOf(asked));
  const data = await client.ask(asked.words);
  if (!asked.wait) return data;
  const loads = Number(data["loads"]);
  await poll("The reload isn't through", asked.timeoutMs, async () =>
    reloaded(await stats(client), loads),
  );
  return { ...data, status: "reloaded" };
}

async function dumpTo(asked: Asked, what: "heap" | "profile"): Promise<Data> {
  const { dump } = await import("./dump.ts");
  using client = await Client.connect(socketOf(asked));
  const words = asked.words.slice(1, -1);
  return await dump(client, { what, words, file: asked.words.at(-1)!, timeoutMs: asked.timeoutMs });
}

/** A server that isn't there yet is waited for too, and one that goes meanwhile may come back. */
async function waitForReady(asked: Asked): Promise<Data> {
  let why = "";
  const probe = async () => {
    try {
      using client = await Client.connect(socketOf(asked));
      const now = await stats(client);
      why = `the server is ${String(now["state"])}, ${String(now["workers_ready"])} of ${String(now["workers_target"])} workers are ready`;
      return isReady(now) ? now : null;
    } catch (error) {
      if (!isA(error, Unreachable)) throw error;
      why = error.message;
      return null;
    }
  };
  try {
    return await poll("Not ready", asked.timeoutMs, probe);
  } catch (error) {
    if (!isA(error, TimedOut)) throw error;
    throw new TimedOut(`${error.message}: ${why}`, { cause: error });
  }
}

function socketOf({ socket, pidFile }: Asked): string {
  return findSocket({ socket, pidFile }, process.env, process.cwd());
}

function report(error: unknown): number {
  if (isA(error, UsageError)) {
    writeFully(2, `${usageLine}\ngunicorn-ts ctl: error: ${error.message}\n`);
    return ctlExitCodes.usage;
  }
  const known: readonly (readonly [abstract new (...args: never[]) => Error, number])[] = [
    [Refused, ctlExitCodes.refused],
    [Unreachable, ctlExitCodes.unreachable],
    [TimedOut, ctlExitCodes.timedOut],
  ];
  const [, code] = known.find(([type]) => isA(error, type)) ?? [];
  if (code === undefined) {
    writeFully(2, `${describeError(error)}\n`);
    return exitCodes.internal;
  }
  writeFully(2, `Error: ${(error as Error).message}\n`);
  return code;
}

/** The text of --help. */
export function renderHelp(): string {
  const optionRows = optionEntries.map(([name, { short, metavar, description, of }]) => {
    const flags = `${short === null ? "    " : `-${short}, `}--${name}${metavar === null ? "" : ` ${metavar}`}`;
    return [flags, of === null ? description : `${description} (${of.join(", ")})`] as const;
  });
  const groups = [
    usageLine,
    "Sees and steers a running server, which was started with --control-socket.",
    `Options:\n${columns(optionRows)}`,
    `Commands:\n${columns(helpRows())}`,
  ];
  return `${groups.join("\n\n")}\n`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
