/** The setting ca_certs: who may sign the certificates of clients. */
import { ConfigError } from "../api/errors.ts";
import { checkDates, type Circumstances, nameOf, readCertificate } from "./check-certificate.ts";
import { describeContent, isCutOff, pemBlocks } from "./pem/pem.ts";
import type { Part } from "./pem/read-file.ts";

/**
 * The PEM of the authorities.
 * @throws ConfigError
 */
export function checkAuthorities({ place, text }: Part, around: Circumstances): string {
  const blocks = pemBlocks(text).filter(({ label }) => label === "CERTIFICATE");
  if (blocks.length === 0)
    throw new ConfigError(`${place}: holds no certificate, it ${describeContent(text)}`);
  if (isCutOff(text)) throw new ConfigError(`${place}: ${describeContent(text)}`);
  const authorities = blocks.map((block, at) => readCertificate(place, block.text, at));
  // One that has expired lets nobody in, and does no harm beside others.
  const valid = authorities.filter(({ validTo }) => Date.parse(validTo) > around.nowMs);
  const allowExpired = around.allowExpired || valid.length > 0;
  for (const [at, authority] of authorities.entries()) {
    const name = `${place}: ${nameOf(authority, at)}`;
    if (!authority.ca) throw new ConfigError(`${name} is of no CA`);
    checkDates(name, authority, { ...around, allowExpired });
  }
  return blocks.map((block) => block.text).join("");
}
