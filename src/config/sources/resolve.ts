/**
 * Settings from all sources, weakest first: defaults, the environment's defaults, the configuration
 * file, GUNICORN_CMD_ARGS, the command line. A stronger source replaces a value, lists included.
 * Nothing about the process changes here, so that HUP may run it again and drop the result.
 */
import { isA } from "../../api/thrown.ts";
import { ConfigError, UsageError } from "../../api/errors.ts";
import type { Facts } from "../values/kinds.ts";
import { checkRules } from "../rules.ts";
import type { Setting } from "../setting.ts";
import { settingEntries, settingOf } from "../settings.ts";
import type { Config, SettingKey } from "../types.ts";
import { located, type Places } from "./places.ts";
import { parseCommandLine } from "./command-line.ts";
import { fileLabel, findConfigFile } from "./find-file.ts";
import { explainWords } from "./foreign-flags.ts";
import { shellWords } from "./shell-words.ts";
import { explainValue, findTaken } from "./taken-app.ts";

export interface ConfigInputs extends Facts {
  /** The words behind the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Counts the loads of the configuration, from 1. */
  readonly generation: number;
  /** The app inside of an executable: the one that is served when none is named. */
  readonly builtApp?: string | null;
}

export interface ResolvedConfig {
  readonly config: Config;
  /** The absolute path of the file that was read. */
  readonly configFile: string | null;
  /** MODULE:EXPORT: the positional word, else wsgiApp, else the app inside. */
  readonly app: string | null;
  readonly places: Places;
}

type Given = ReadonlyMap<SettingKey, unknown>;

interface Source {
  readonly given: Given;
  /** Where messages say that a setting stands. */
  place(key: SettingKey): string;
}

const cmdArgs = "GUNICORN_CMD_ARGS";

/** Throws ConfigError or UsageError, with a message that says where, what, and what was got. */
export async function resolveConfig(inputs: ConfigInputs): Promise<ResolvedConfig> {
  const { given, positionals } = parseCommandLine(inputs.argv);
  if (positionals.length > 1) {
    const hints = explainWords(positionals);
    const explained = hints === "" ? "" : ` (${hints})`;
    throw new UsageError(`one APP_MODULE is taken, got: ${positionals.join(" ")}${explained}`);
  }
  const [app] = positionals;
  try {
    return await resolveGiven(given, app, inputs);
  } catch (error) {
    throw app === undefined ? explained(error, given) : error;
  }
}

/** A flag may have taken the app for its value, which can't be one. */
function explained(error: unknown, given: Given): unknown {
  const taken = findTaken(given);
  if (taken === null || !isA(error, ConfigError)) return error;
  const { key, flag, value } = taken;
  if (!error.message.startsWith(`${flag}: `)) return error;
  const hint = explainValue(key, flag, value);
  return new ConfigError(`${error.message} (${hint})`, { cause: error });
}

async function resolveGiven(
  given: Given,
  app: string | undefined,
  inputs: ConfigInputs,
): Promise<ResolvedConfig> {
  const commandLine: Source = { given, place: flagOf };
  const environment: Source = {
    given: parseCmdArgs(inputs.env[cmdArgs] ?? ""),
    place: (key) => `${cmdArgs}: ${flagOf(key)}`,
  };
  const configFile = chooseFile([commandLine, environment], inputs.cwd);
  const sources: Source[] = [environment, commandLine];
  if (configFile !== null) {
    const label = fileLabel(configFile, inputs.cwd);
    const { readConfigFile } = await import("./read-file.ts");
    const fromFile = await readConfigFile(configFile, inputs.cwd, inputs.generation);
    sources.unshift({ given: fromFile, place: (key) => `${label}: ${key}` });
  }
  return build(sources, configFile, app, inputs);
}

function build(
  sources: readonly Source[],
  configFile: string | null,
  positional: string | undefined,
  inputs: ConfigInputs,
): ResolvedConfig {
  const values = new Map<SettingKey, unknown>();
  const places = new Map<SettingKey, string>();
  for (const { given, place } of sources) {
    for (const [key, raw] of given) {
      places.set(key, place(key));
      values.set(key, parseAt(place(key), settingOf(key), raw, inputs));
    }
  }
  for (const [key, row] of settingEntries) {
    if (!places.has(key)) values.set(key, defaultOf(row, inputs));
  }
  const named = positional ?? (values.get("wsgiApp") as Config["wsgiApp"]);
  const app = named ?? inputs.builtApp ?? null;
  if (!places.has("defaultProcName") && app !== null) values.set("defaultProcName", app);
  const autoscale = values.get("autoscale") as Config["autoscale"];
  const isSaid = places.has("workers") || fromEnvironment(settingOf("workers"), inputs) !== "";
  if (autoscale !== null && !isSaid) values.set("workers", autoscale.min);
  // Every key of the table is there, with what its own kind gave.
  const all: Partial<Record<SettingKey, unknown>> = {};
  for (const [key] of settingEntries) all[key] = values.get(key);
  const config = deepFreeze(all) as Config;
  checkRules(config, places, inputs.env);
  return { config, configFile, app, places: withVariables(places, inputs) };
}

function flagOf(key: SettingKey): string {
  return settingOf(key).flags?.[0]?.long ?? key;
}

function parseCmdArgs(text: string): Given {
  try {
    const { asked, given, requests } = parseCommandLine(shellWords(text));
    const action = requests.length > 0 ? "request" : asked;
    if (action !== null) throw new UsageError(`--${action} belongs on the command line`);
    return given;
  } catch (cause) {
    if (isA(cause, UsageError)) throw new UsageError(`${cmdArgs}: ${cause.message}`, { cause });
    throw located(cmdArgs, cause);
  }
}

/** The file that the strongest source names, else the standard one. */
function chooseFile(sources: readonly Source[], cwd: string): string | null {
  const source = sources.find(({ given }) => given.has("config"));
  if (source === undefined) return findConfigFile(null, cwd);
  try {
    return findConfigFile(String(source.given.get("config")), cwd);
  } catch (cause) {
    throw located(source.place("config"), cause);
  }
}

function refuseStatus({ status }: Setting, place: string): void {
  if (status === "works") return;
  if (status === "planned") throw new ConfigError(`${place}: not supported yet`);
  if ("pythonOnly" in status) throw new ConfigError(`${place}: Python only; ${status.pythonOnly}`);
  throw new ConfigError(`${place}: refused: ${status.never}`);
}

function parseAt(place: string, row: Setting, raw: unknown, facts: Facts): unknown {
  refuseStatus(row, place);
  try {
    return row.kind.parse(raw, facts);
  } catch (cause) {
    throw located(place, cause);
  }
}

function defaultOf(row: Setting, inputs: ConfigInputs): unknown {
  const text = fromEnvironment(row, inputs);
  if (row.env !== undefined && text !== "") {
    const { variable, read } = row.env;
    // Not ignored either: someone relies on it.
    refuseStatus(row, variable);
    try {
      return row.kind.parse(read(text), inputs);
    } catch (cause) {
      throw located(variable, cause);
    }
  }
  return row.defaultOn === undefined ? row.default : row.defaultOn(inputs);
}

/** The same with the settings that only the environment sets. */
function withVariables(places: Places, inputs: ConfigInputs): Places {
  const all = new Map(places);
  for (const [key, row] of settingEntries)
    if (row.env !== undefined && !all.has(key) && fromEnvironment(row, inputs) !== "")
      all.set(key, row.env.variable);
  return all;
}

/** A variable without a value isn't set: Compose files, units and CI pass `PORT=` on. */
function fromEnvironment({ env }: Setting, inputs: ConfigInputs): string {
  const text = env === undefined ? "" : (inputs.env[env.variable] ?? "");
  return text.trim() === "" ? "" : text;
}

/** Functions aren't frozen: they are the user's. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
