import { editDistance, longestMisspelt } from "../../modules/nearest.ts";
import { gunicornName, settingEntries } from "../settings.ts";
import type { SettingKey } from "../types.ts";

/** Letters and digits only, so that worker_class, workerClass and --worker-class are the same. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, "");
}

/** The setting that an unknown name may mean: another spelling, a flag's name, or a near miss. */
export function suggestSetting(name: string): SettingKey | null {
  const wanted = bare(name);
  if (wanted.length > longestMisspelt) return null;
  let best: SettingKey | null = null;
  // A third of the letters wrong is another word.
  let least = Math.floor(wanted.length / 3) + 1;
  for (const [key, { flags = [] }] of settingEntries) {
    const words = [gunicornName(key), ...flags.flatMap(({ long, alias = long }) => [long, alias])];
    for (const word of words) {
      const distance = editDistance(wanted, bare(word));
      if (distance < least) [best, least] = [key, distance];
    }
  }
  return best;
}
