/** Rules between the settings of TLS: nothing is accepted that would do nothing, and nothing falls back to plain HTTP. */
import { ConfigError } from "../api/errors.ts";
import { hasCertificates, saysPlain, saysSecure } from "../net/secure-addresses.ts";
import type { Config, SettingKey } from "./types.ts";

/** Settings that would do nothing without TLS. */
const needsCertificates = ["tlsWatch"] as const satisfies readonly SettingKey[];

/**
 * @param given the places of the settings that a file or a command line sets, by setting
 * @throws ConfigError
 */
export function checkTlsRules(config: Config, given: ReadonlyMap<SettingKey, string>): void {
  const { bind, certfile, keyfile, tls } = config;
  const placeOf = (key: SettingKey) => given.get(key) ?? key;
  if (keyfile !== null && certfile === null)
    throw new ConfigError(`${placeOf("keyfile")}: needs certfile, which isn't set`);
  const idle = needsCertificates.find((key) => given.has(key));
  if (idle !== undefined && !hasCertificates(config))
    throw new ConfigError(`${placeOf(idle)}: needs certfile, which isn't set`);
  const secure = bind.find(saysSecure);
  if (secure !== undefined && !hasCertificates(config))
    throw new ConfigError(`${placeOf("bind")}: ${secure} needs certfile, which isn't set`);
  if (hasCertificates(config) && bind.every(saysPlain)) {
    const key = tls.length > 0 && certfile === null ? "tls" : "certfile";
    throw new ConfigError(
      `${placeOf(key)}: is for no address, bind says http:// for all: ${bind.join(", ")}`,
    );
  }
}
