/** The rows whose values are plain data: all but the hooks, whose own types speak of the configuration. */
import type { Setting } from "./setting.ts";
import { configFile } from "./settings/config-file.ts";
import { control } from "./settings/control.ts";
import { debugging } from "./settings/debugging.ts";
import { dirtyArbiters } from "./settings/dirty-arbiters.ts";
import { http2 } from "./settings/http2.ts";
import { logging } from "./settings/logging.ts";
import { processNaming } from "./settings/process-naming.ts";
import { security } from "./settings/security.ts";
import { serverMechanics } from "./settings/server-mechanics.ts";
import { serverSocket } from "./settings/server-socket.ts";
import { ssl } from "./settings/ssl.ts";
import { workerProcesses } from "./settings/worker-processes.ts";

export const dataSettings = {
  ...configFile,
  ...serverSocket,
  ...workerProcesses,
  ...security,
  ...debugging,
  ...serverMechanics,
  ...logging,
  ...processNaming,
  ...ssl,
  ...http2,
  ...dirtyArbiters,
  ...control,
};

type Table = typeof dataSettings;

/** A setting whose value is data, by its name in TypeScript. */
export type DataKey = keyof Table;

/** Every value but the hooks, deeply frozen: what the master sends to workers. */
export type ConfigData = {
  readonly [K in DataKey]: Table[K] extends Setting<infer Out, infer _In> ? Out : never;
};

/** A configuration without its hooks, which can't go from one process to another. */
export function configData(config: ConfigData): ConfigData {
  // By a plain loop: what is called for each setting is compiled meanwhile, which costs a start 2 ms (bench: start).
  const data: Partial<Record<DataKey, unknown>> = {};
  for (const key of Object.keys(dataSettings) as DataKey[]) data[key] = config[key];
  return data as ConfigData;
}
