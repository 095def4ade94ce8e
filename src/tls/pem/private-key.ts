/** Private keys in PEM, encrypted or not. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { ConfigError } from "../../api/errors.ts";
import { describeContent, pemBlocks } from "./pem.ts";
import type { Part } from "./read-file.ts";

/**
 * @param passphrases are tried one after the other where the key is encrypted
 * @param hint what to say where there is none
 * @throws ConfigError
 */
export function readPrivateKey(
  { place, text }: Part,
  passphrases: readonly string[],
  hint: string,
): KeyObject {
  const keys = pemBlocks(text).filter(({ label }) => label.endsWith("PRIVATE KEY"));
  const [first] = keys;
  if (first === undefined)
    throw new ConfigError(`${place}: holds no private key, it ${describeContent(text)}${hint}`);
  if (keys.length > 1)
    throw new ConfigError(`${place}: must hold one private key, got ${keys.length}`);
  if (!isEncrypted(first.text)) return parse(place, first.text);
  if (passphrases.length === 0)
    throw new ConfigError(
      `${place}: is encrypted, and neither keyfile_password_file nor GUNICORN_KEYFILE_PASSWORD is set`,
    );
  let reason = "";
  for (const passphrase of passphrases) {
    try {
      return createPrivateKey({ key: first.text, passphrase });
    } catch (error) {
      // A wrong passphrase mostly gives bad padding; what comes out may be anything.
      reason = reasonOf(error);
    }
  }
  throw new ConfigError(`${place}: can't be decrypted by the passphrase that is set: ${reason}`);
}

/** Whether a private key in PEM needs a passphrase: PKCS#8, and OpenSSL's own older form. */
export function isEncrypted(text: string): boolean {
  return /^-----BEGIN ENCRYPTED |^Proc-Type:.*ENCRYPTED/m.test(text);
}

function parse(place: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new ConfigError(`${place}: holds no private key that Bun can read: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** The last words of `error:0c00006d:ASN.1 encoding routines:OPENSSL_internal:DECODE_ERROR`, small. */
export function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return (message.split(":").at(-1) ?? message).toLowerCase().replaceAll("_", " ");
}
