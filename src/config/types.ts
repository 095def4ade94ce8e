/** The types that derive from the settings table: nothing about a single setting is written here. */
import type { Setting } from "./setting.ts";
import type { SettingKey, settings } from "./settings.ts";

export type { Config } from "../api/hooks.ts";
export type { ConfigData } from "./data.ts";
export type { SettingKey } from "./settings.ts";

type Table = typeof settings;

/** What a configuration file may say. */
export type UserConfig = {
  readonly [K in Exclude<SettingKey, "config">]?: Table[K] extends Setting<infer _Out, infer In>
    ? In | undefined
    : never;
};
