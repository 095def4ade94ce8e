/** Where each setting stands that isn't at its default, as messages name it: `--workers`, `gunicorn.conf.ts: workers`. */
import { isA } from "../../api/thrown.ts";
import { ConfigError } from "../../api/errors.ts";
import { gunicornName, settingEntries } from "../settings.ts";
import type { SettingKey } from "../types.ts";

export type Places = ReadonlyMap<SettingKey, string>;

/** Puts the place before what a ConfigError says; hands on any other error. */
export function located(place: string, cause: unknown): unknown {
  if (!isA(cause, ConfigError)) return cause;
  return new ConfigError(`${place}: ${cause.message}`, { cause });
}

/**
 * What is checked beyond the sources doesn't know them, and its messages begin with the setting's name, `user: No such
 * user`: they get the place instead, `--user: No such user`.
 */
export function withPlace(message: string, places: Places): string {
  const [name = ""] = /^\w+(?=[:[. ])/.exec(message) ?? [];
  const [key] = settingEntries.find(([each]) => each === name || gunicornName(each) === name) ?? [];
  const place = key === undefined ? undefined : places.get(key);
  return place === undefined ? message : place + message.slice(name.length);
}
