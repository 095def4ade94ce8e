import { nearest } from "../../modules/nearest.ts";
import { gunicornName, settingEntries } from "../settings.ts";
import type { SettingKey } from "../types.ts";

/** Letters and digits only, so that worker_class, workerClass and --worker-class are the same. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, "");
}

/** The setting that an unknown name may mean: another spelling, a flag's name, or a near miss. */
export function suggestSetting(name: string): SettingKey | null {
  const keys = new Map<string, SettingKey>();
  for (const [key, { flags = [] }] of settingEntries) {
    const words = [gunicornName(key), ...flags.flatMap(({ long, alias = long }) => [long, alias])];
    for (const word of words.map(bare)) if (!keys.has(word)) keys.set(word, key);
  }
  const near = nearest(bare(name), keys.keys());
  return near === null ? null : (keys.get(near) ?? null);
}
