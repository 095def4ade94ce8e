/**
 * The one table of settings. Flags, help, --print-config, types, docs/settings.md, sources and the
 * parity test derive from it: a fact about a setting that stands anywhere else is a bug.
 */
import type { AllHooks } from "../api/hooks.ts";
import type { dataSettings } from "./data.ts";
import type { Section, Setting } from "./setting.ts";
import { configFile } from "./settings/config-file.ts";
import { control } from "./settings/control.ts";
import { debugging } from "./settings/debugging.ts";
import { dirtyArbiterHooks, dirtyArbiters } from "./settings/dirty-arbiters.ts";
import { http2 } from "./settings/http2.ts";
import { logging } from "./settings/logging.ts";
import { processNaming } from "./settings/process-naming.ts";
import { security } from "./settings/security.ts";
import { serverHooks } from "./settings/server-hooks.ts";
import { serverMechanics } from "./settings/server-mechanics.ts";
import { serverSocket } from "./settings/server-socket.ts";
import { ssl } from "./settings/ssl.ts";
import { workerProcesses } from "./settings/worker-processes.ts";

const hooks = { ...serverHooks, ...dirtyArbiterHooks } satisfies {
  readonly [K in keyof AllHooks]: Setting<AllHooks[K] | null>;
};

export const sections: readonly Section[] = [
  { title: "Config File", settings: configFile },
  { title: "Server Socket", settings: serverSocket },
  { title: "Worker Processes", settings: workerProcesses },
  { title: "Security", settings: security },
  { title: "Debugging", settings: debugging },
  { title: "Server Mechanics", settings: serverMechanics },
  { title: "Logging", settings: logging },
  { title: "Process Naming", settings: processNaming },
  { title: "Server Hooks", settings: serverHooks },
  { title: "SSL", settings: ssl },
  { title: "HTTP/2", settings: http2 },
  { title: "Dirty Arbiters", settings: dirtyArbiters },
  { title: "Dirty Arbiter Hooks", settings: dirtyArbiterHooks },
  { title: "Control", settings: control },
];

/** Every row by its key, in the order of help. */
export const settings = Object.assign(
  {},
  ...sections.map((section) => section.settings),
) as typeof dataSettings & typeof hooks;

/** A setting's name in TypeScript: Gunicorn's, in camelCase. */
export type SettingKey = keyof typeof settings;

/** Every row with its key. */
export const settingEntries = Object.entries(settings) as readonly (readonly [
  SettingKey,
  Setting,
])[];

/** The row of a key, with its types forgotten. */
export function settingOf(key: SettingKey): Setting {
  return settings[key] as Setting;
}

/** Gunicorn's name: `worker_class` for `workerClass`. */
export function gunicornName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
