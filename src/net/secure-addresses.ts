/** Which addresses are TLS. Whether that is right at all is checked by src/config/tls-rules.ts. */
import { type Address, parseAddress } from "./bind-address.ts";

/** The settings that say it. */
export interface BindSettings {
  readonly bind: readonly string[];
  readonly chdir: string;
  readonly certfile: string | null;
  readonly keyfile: string | null;
  readonly tls: readonly unknown[];
}

/** Whether a configuration has something to serve TLS with. */
export function hasCertificates({
  certfile,
  keyfile,
  tls,
}: Pick<BindSettings, "certfile" | "keyfile" | "tls">): boolean {
  return certfile !== null || keyfile !== null || tls.length > 0;
}

/** Whether an address says itself that it is TLS. */
export function saysSecure(address: string): boolean {
  return /^https:\/\//i.test(address);
}

/** Whether an address says itself that it is not. */
export function saysPlain(address: string): boolean {
  return /^http:\/\//i.test(address);
}

/**
 * Whether addresses are TLS that say neither `https://` nor `http://`: with a certificate all of them, as in Gunicorn,
 * unless others say `https://`. Sockets of systemd say nothing either.
 */
export function secureByDefault(config: Omit<BindSettings, "chdir">): boolean {
  return hasCertificates(config) && !config.bind.some(saysSecure);
}

/** What a configuration binds to. Throws ConfigError, as parseAddress does. */
export function bindAddresses(config: BindSettings): Address[] {
  const secure = secureByDefault(config);
  return config.bind.map((text) => parseAddress(text, config.chdir, secure));
}
