/** The app where a flag has taken it for its value: `-t app:fetch`, as nginx's -t has none. */
import { settingOf } from "../settings.ts";
import type { SettingKey } from "../types.ts";

/** MODULE:EXPORT; classes, which settings name in the same way, begin with a capital. */
const reference = /^[\w./@-]+:(?:[a-z_$][\w$.]*)(?:\(.*\))?$/;

/** Values of settings that look like one: addresses, and files by their scheme. */
const others = /^(?:unix|fd|file|module|python|egg):/i;

function looksLikeApp(value: unknown): value is string {
  return typeof value === "string" && reference.test(value) && !others.test(value);
}

/**
 * What to say of a flag's value that can't be one.
 * @param flag as it was written, or its long form
 */
export function explainValue(key: SettingKey, flag: string, value: unknown): string | null {
  if (!looksLikeApp(value)) return null;
  const { metavar, kind } = settingOf(key);
  return `the app? ${flag} takes a value of its own: ${flag} ${metavar ?? kind.metavar} ${value}`;
}

/** The flag that has an app for its value, where none is named; null for none. */
export function findTaken(
  given: ReadonlyMap<SettingKey, unknown>,
): { readonly key: SettingKey; readonly flag: string; readonly value: string } | null {
  for (const [key, raw] of given) {
    const value: unknown = Array.isArray(raw) ? raw.at(-1) : raw;
    const flag = settingOf(key).flags?.[0]?.long;
    if (flag !== undefined && looksLikeApp(value)) return { key, flag, value };
  }
  return null;
}
