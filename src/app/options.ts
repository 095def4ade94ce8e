/** What an app's options for Bun.serve say that it can't say here: where to listen is the settings' word. */
import { AppImportError } from "../modules/errors.ts";
import { type WorkerClass, workerClassOf } from "../config/worker-classes.ts";
import type { App } from "./shape.ts";

/** Options that aren't used, and the setting that says the same. */
const settled: Readonly<Record<string, string>> = {
  port: "bind",
  hostname: "bind",
  unix: "bind",
  ipv6Only: "bind",
  reusePort: "reuse_port",
};

/** The refusal of TLS, also of a server of node:https. */
export const noTls = "use the settings certfile and keyfile";

/** Options that are refused: without them it would be another server than the app asks for. */
const refused: Readonly<Record<string, string>> = {
  tls: noTls,
  http2: "use --worker-class serve --http-protocols h2,h1",
  http3: "use --worker-class serve --http-protocols h3,h2,h1",
};

type Options = Readonly<Record<string, unknown>>;

/**
 * What is told of options that are set and not used, each with the setting to use:
 * `app.ts: default: port 3000 isn't used: the server listens at the setting bind`.
 * @throws AppImportError for what can't be done without
 */
export function unusedOptions(app: App, workerClass: WorkerClass): readonly string[] {
  const options = app.options ?? {};
  for (const [name, why] of Object.entries(refused)) {
    if (isSet(options, name)) throw new AppImportError(`${app.describe}: ${name}: ${why}`);
  }
  if (options["http1"] === false) {
    throw new AppImportError(
      `${app.describe}: http1: use --worker-class serve --http-protocols h2`,
    );
  }
  const unused = { ...settled, ...workerClassOf(workerClass).unusedOptions };
  return Object.entries(unused)
    .filter(([name]) => isSet(options, name))
    .map(([name, setting]) => `${app.describe}: ${tellUnused(name, options[name], setting)}`);
}

function tellUnused(name: string, value: unknown, setting: string): string {
  const given = typeof value === "number" || typeof value === "string" ? `${name} ${value}` : name;
  const instead =
    setting === "bind" ? "the server listens at the setting bind" : `see the setting ${setting}`;
  return `${given} isn't used: ${instead}`;
}

/** The options that are Bun.serve's to judge, by name. */
export function passedOptions(app: App): Options {
  const entries = Object.entries(app.options ?? {});
  // Undefined would bring Bun's own default, not ours.
  return Object.fromEntries(
    entries.filter(([name, value]) => value !== undefined && settled[name] === undefined),
  );
}

function hasNothing(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const values: unknown[] = Object.values(value);
  return values.length > 0 && values.every((each) => each === undefined);
}

function isSet(options: Options, name: string): boolean {
  const value = options[name];
  // srvx passes the certificates that it hasn't got: Bun takes that for none.
  if (name === "tls" && hasNothing(value)) return false;
  return value !== undefined && value !== null && value !== false;
}
