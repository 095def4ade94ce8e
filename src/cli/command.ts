/** The command, as citty knows it: its name and arguments, from the settings table. */
import { type ArgDef, type ArgsDef, type CommandDef, defineCommand } from "citty";
import type { Section, Setting } from "../config/setting.ts";
import { settingEntries } from "../config/settings.ts";
import { requestFlags } from "../config/sources/requests.ts";
import { version } from "../version.ts";

const meta = {
  name: "gunicorn-ts",
  version,
  description: "Runs a fetch-style web app in production, as Gunicorn would",
};

/** The default in words: lists without their brackets, as on the command line. */
export function describeDefault(row: Setting): string {
  if (row.defaultText !== undefined) return row.defaultText;
  if (row.default === null || row.default === "") return "not set";
  return Array.isArray(row.default) ? row.default.join(",") : row.kind.show(row.default);
}

function describe({ description, status }: Setting): string {
  const [line = ""] = description.split("\n");
  return status === "planned" ? `${line} (not supported yet)` : line;
}

/** A row's flags; the first one carries its description and default. */
function flagArgs(row: Setting): readonly (readonly [string, ArgDef])[] {
  const [first] = row.flags ?? [];
  return (row.flags ?? []).map((flag) => {
    const { long, short, alias } = flag;
    const shared = {
      description:
        flag === first
          ? `${describe(row)} [${describeDefault(row)}]`
          : `The opposite of ${first?.long}`,
      // citty puts one dash before an alias.
      alias: [short, alias].filter((word) => word !== undefined).map((word) => word.slice(1)),
    };
    const arg: ArgDef =
      row.kind.takes === "nothing"
        ? { ...shared, type: "boolean" }
        : { ...shared, type: "string", valueHint: row.metavar ?? row.kind.metavar };
    return [long.slice(2), arg];
  });
}

const builtIn: ArgsDef = {
  help: { type: "boolean", alias: "h", description: "Show this text and exit" },
  version: { type: "boolean", alias: "v", description: "Show the version and exit" },
  ...Object.fromEntries(
    Object.values(requestFlags).map(({ long, metavar, description }): [string, ArgDef] => [
      long.slice(2),
      { type: "string", valueHint: metavar, description },
    ]),
  ),
};

const positional: ArgsDef = {
  APP_MODULE: { type: "positional", required: false, description: "The app, MODULE:EXPORT" },
};

/** The whole command; `describe` answers what --help and --version ask for. */
export function defineMain(describe: (asked: "help" | "version") => string): CommandDef {
  const flags = settingEntries.flatMap(([, row]) => flagArgs(row));
  return defineCommand({
    meta,
    args: { ...positional, ...builtIn, ...Object.fromEntries(flags) },
    run: ({ args }) => describe(args["help"] === true ? "help" : "version"),
  });
}

export interface HelpGroup {
  readonly title: string;
  readonly args: ArgsDef;
}

/** What the help lists: the general options, then each section's flags. */
export function helpGroups(sections: readonly Section[]): HelpGroup[] {
  const groups = sections.map(({ title, settings }) => {
    const rows = Object.values(settings).filter(({ status }) => typeof status === "string");
    return { title, args: Object.fromEntries(rows.flatMap(flagArgs)) as ArgsDef };
  });
  return [{ title: "Options", args: builtIn }, ...groups].filter(
    ({ args }) => Object.keys(args).length > 0,
  );
}
