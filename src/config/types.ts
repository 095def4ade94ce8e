/** The types that derive from the settings table: nothing about a single setting is written here. */
import type { Setting } from "./setting.ts";
import { settingEntries, type settings } from "./settings.ts";

type Table = typeof settings;

/** A setting's name in TypeScript: Gunicorn's, in camelCase. */
export type SettingKey = keyof Table;

/** Every setting's value, deeply frozen. Hooks that aren't set are null. */
export type Config = {
  readonly [K in SettingKey]: Table[K] extends Setting<infer Out, infer _In> ? Out : never;
};

/** What a configuration file may say. */
export type UserConfig = {
  readonly [K in Exclude<SettingKey, "config">]?: Table[K] extends Setting<infer _Out, infer In>
    ? In | undefined
    : never;
};

/** The settings that hold functions. */
export type HookKey = {
  [K in SettingKey]: Extract<Config[K], (...args: never) => unknown> extends never ? never : K;
}[SettingKey];

/** A Config without its hooks: plain data, which is what the master sends to workers. */
export type ConfigData = Omit<Config, HookKey>;

export function configData(config: Config): ConfigData {
  const data = settingEntries.filter(([, { kind }]) => kind.takes !== "function");
  return Object.fromEntries(data.map(([key]) => [key, config[key]])) as unknown as ConfigData;
}
