/** Rules between the settings of TLS: nothing is accepted that would do nothing, and nothing falls back to plain HTTP. */
import { ConfigError } from "../api/errors.ts";
import { hasCertificates, saysPlain, saysSecure } from "../net/secure-addresses.ts";
import type { Config, SettingKey } from "./types.ts";

/** The variable with the passphrase of encrypted keys. It is the master's alone. */
export const passphraseVariable = "GUNICORN_KEYFILE_PASSWORD";

/** Settings that say how TLS is served, and so need something to serve it with. */
const needCertificates = [
  "caCerts",
  "certReqs",
  "ciphers",
  "doHandshakeOnConnect",
  "keyfilePasswordFile",
  "sslContext",
  "sslVersion",
  "suppressRaggedEofs",
  "tlsAllowExpired",
  "tlsWatch",
] as const satisfies SettingKey[];

/**
 * @param given the places of the settings that a file or a command line sets, by setting
 * @param env the environment of the start
 * @throws ConfigError
 */
export function checkTlsRules(
  config: Config,
  given: ReadonlyMap<SettingKey, string>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const refuse = (key: SettingKey, text: string): never => {
    throw new ConfigError(`${given.get(key) ?? key}: ${text}`);
  };
  const { bind, certfile, keyfile } = config;
  if (keyfile !== null && certfile === null) refuse("keyfile", "needs certfile, which isn't set");
  if (!hasCertificates(config)) {
    const secure = bind.find(saysSecure);
    if (secure !== undefined) refuse("bind", `${secure} needs certfile, which isn't set`);
    for (const key of needCertificates)
      if (given.has(key) && config[key] !== null)
        refuse(key, "needs certfile or tls, which aren't set");
    return;
  }
  if (bind.every(saysPlain)) {
    const key = certfile === null ? "tls" : "certfile";
    refuse(key, `is for no address, bind says http:// for all: ${bind.join(", ")}`);
  }
  checkClientRules(config, refuse);
  if (config.ciphers !== null && config.sslVersion === "TLSv1_3")
    refuse("ciphers", "is for TLS 1.2, and ssl_version is TLSv1_3");
  if (config.keyfilePasswordFile !== null && (env[passphraseVariable] ?? "") !== "")
    refuse("keyfilePasswordFile", `can't be set beside ${passphraseVariable}`);
}

function checkClientRules(
  { caCerts, certReqs, sslContext }: Config,
  refuse: (key: SettingKey, text: string) => never,
): void {
  if (certReqs === 0 && caCerts !== null)
    refuse("caCerts", "does nothing without cert_reqs 1 or 2, got 0");
  // The hook may give them.
  if (certReqs > 0 && caCerts === null && sslContext === null)
    refuse("certReqs", `is ${certReqs} and needs ca_certs, which isn't set: nobody could get in`);
}
