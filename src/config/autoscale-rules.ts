/** Rules between `autoscale` and `workers`, which says with how many it begins. */
import { ConfigError } from "../api/errors.ts";
import type { Config, SettingKey } from "./types.ts";
import { settingOf } from "./settings.ts";

/**
 * @param given the places of the settings that a file or a command line sets, by setting
 * @throws ConfigError
 */
export function checkAutoscaleRules(
  { autoscale, workers }: Pick<Config, "autoscale" | "workers">,
  given: ReadonlyMap<SettingKey, string>,
): void {
  if (autoscale === null) return;
  const { min, max } = autoscale;
  if (workers >= min && workers <= max) return;
  const place = given.get("workers") ?? settingOf("workers").env?.variable ?? "workers";
  throw new ConfigError(
    `${place}: must be from ${min} to ${max}, between which autoscale begins with it, got ${workers}`,
  );
}
