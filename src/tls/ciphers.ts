/** The setting ciphers: OpenSSL's list, as far as BoringSSL, which Bun has, knows it. */
import { createSecureContext } from "node:tls";
import { ConfigError } from "../api/errors.ts";

/** Forward secrecy and AEAD only: Bun's own list has suites with neither. */
export const defaultCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

const separators = /[:, ;]+/;

/**
 * The list without what it says of TLS 1.3, whose suites are always on.
 * @param warn hears of each name that selects nothing
 * @throws ConfigError without a place
 */
export function checkCiphers(list: string, warn: (message: string) => void): string {
  const words = list.split(separators).filter((word) => word !== "");
  const older = words.filter((word) => !word.startsWith("TLS_"));
  const cipher = older.join(":");
  if (cipher === "" && words.length > 0)
    throw new ConfigError(
      `must name a cipher of TLS 1.2, got '${list}': those of TLS 1.3 are always on, and alone with ssl_version TLSv1_3`,
    );
  if (!selects(cipher))
    throw new ConfigError(`must be a list that selects a cipher of Bun's, got '${list}'`);
  for (const word of older) {
    // What is taken away, or only ordered, needn't be there.
    if (/^[!+@-]/.test(word) || selects(word)) continue;
    warn(`${word} is no cipher of Bun's, and is not offered`);
  }
  return cipher;
}

/** Whether a list has a cipher of TLS 1.2 for a certificate: the others are signed for by another kind of key. */
export function servesKind(list: string, kind: string | undefined): boolean {
  return selects(`${list}:!${kind === "rsa" ? "aECDSA" : "aRSA"}`);
}

function selects(list: string): boolean {
  if (list === "") return false;
  try {
    createSecureContext({ ciphers: list });
    return true;
  } catch {
    // ERR_SSL_NO_CIPHER_MATCH, or ERR_SSL_INVALID_COMMAND for what is no list.
    return false;
  }
}
