import { gunicornName, settingEntries } from "../../config/settings.ts";
import type { Config } from "../../config/types.ts";

/** Every setting by Gunicorn's name, in the order of the alphabet: functions by their names, and nothing that is secret. */
export function showConfig(config: Config): Readonly<Record<string, unknown>> {
  const rows = settingEntries.map(([key, { kind, conceal }]): [string, unknown] => {
    const value = config[key] as unknown;
    if (conceal !== undefined) return [gunicornName(key), conceal(value)];
    // A mode is shown as it is written, in octal.
    const shown =
      typeof value === "function" || typeof value === "number" ? kind.show(value as never) : "";
    return [gunicornName(key), shown === "" || shown === String(value) ? value : shown];
  });
  return Object.fromEntries(rows.sort(([one], [other]) => (one < other ? -1 : 1)));
}
