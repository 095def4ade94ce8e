/** The words behind `gunicorn-ts build`. */
import { parseArgs } from "node:util";
import { UsageError } from "../../api/errors.ts";
import { didYouMean, nearest } from "../../modules/nearest.ts";
import { explainOption } from "../explain-option.ts";

export const usageLine = "usage: gunicorn-ts build [APP_MODULE] -o FILE [--target TARGET]";

/** glibc's: the server calls the C library by its name there. */
export const targets = ["linux-x64", "linux-arm64"] as const;
export type Target = (typeof targets)[number];

interface OptionRow {
  readonly short: string;
  readonly metavar: string | null;
  readonly description: string;
}

const options = {
  outfile: { short: "o", metavar: "FILE", description: "The executable to write" },
  target: {
    short: "t",
    metavar: "TARGET",
    description: `The machine that it is for: ${targets.join(" or ")} [this one]`,
  },
  help: { short: "h", metavar: null, description: "Show this text and exit" },
} as const satisfies Readonly<Record<string, OptionRow>>;

export const optionEntries: readonly (readonly [string, OptionRow])[] = Object.entries(options);

export interface Asked {
  /** MODULE:EXPORT; null: the server alone. */
  readonly app: string | null;
  readonly outfile: string;
  readonly target: Target;
}

/**
 * Null when help is asked for.
 * @param arch of this machine
 * @throws UsageError
 */
export function readWords(words: readonly string[], arch: string = process.arch): Asked | null {
  const { values, positionals } = parse(words);
  if (values.help === true) return null;
  const [app = null, ...more] = positionals;
  if (more.length > 0)
    throw new UsageError(`one APP_MODULE is taken, got: ${positionals.join(" ")}`);
  if (values.outfile === undefined || values.outfile === "")
    throw new UsageError("-o is missing, the executable to write (an app by that name is ./build)");
  const name = values.target ?? `linux-${arch}`;
  const target = targets.find((each) => name === each || name === `bun-${each}`);
  if (target === undefined) throw new UsageError(`--target: ${targets.join(" or ")}, got ${name}`);
  return { app, outfile: values.outfile, target };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        outfile: { type: "string", short: options.outfile.short },
        target: { type: "string", short: options.target.short },
        help: { type: "boolean", short: options.help.short },
      },
      strict: true,
      allowPositionals: true,
    });
  } catch (cause) {
    throw explainOption(cause, suggest);
  }
}

function suggest(name: string): string {
  const near = nearest(name, Object.keys(options));
  return didYouMean(near && `--${near}`);
}

/** The text of --help. */
export function renderHelp(): string {
  const rows = optionEntries.map(([name, { short, metavar, description }]) => {
    const flags = `-${short}, --${name}${metavar === null ? "" : `=${metavar}`}`;
    return `  ${flags.padEnd(22)}${description}`;
  });
  const says = `Makes one executable of Bun and the server, with the app APP_MODULE inside if one is given.
What it was given runs without a word: ./FILE -w 4. Settings are those of gunicorn-ts.`;
  return `${usageLine}\n\n${says}\n\nOptions:\n${rows.join("\n")}\n`;
}
