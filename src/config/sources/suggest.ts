import { gunicornName, settingEntries } from "../settings.ts";
import type { SettingKey } from "../types.ts";

/** Letters and digits only, so that worker_class, workerClass and --worker-class are the same. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, "");
}

/** The setting that an unknown name may mean: another spelling, a flag's name, or a near miss. */
export function suggestSetting(name: string): SettingKey | null {
  const wanted = bare(name);
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

/** How many letters must be added, removed or replaced to get from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let at = 0; at < to.length; at += 1) {
      const replaced = (row[at] as number) + (to[at] === letter ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] as number) + 1, (next[at] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
