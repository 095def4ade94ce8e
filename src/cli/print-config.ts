import { gunicornName, settingEntries } from "../config/settings.ts";
import type { Config } from "../config/types.ts";

/** Every setting by Gunicorn's name, alphabetically: `workers    = 2`. */
export function printConfig(config: Config): string {
  const rows = settingEntries
    .map(([key, { kind }]) => ({ name: gunicornName(key), value: kind.show(config[key]) }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, value }) => `${name.padEnd(width)} = ${value}\n`).join("");
}
