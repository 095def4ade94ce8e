/** The passphrases of encrypted keys: from a file or the environment, never from the command line, which everybody sees. */
import { ConfigError } from "../api/errors.ts";
import type { ConfigData } from "../config/data.ts";
import { passphraseVariable } from "../config/tls-rules.ts";
import type { Circumstances, Pair } from "./check-certificate.ts";
import { pemBlocks } from "./pem/pem.ts";
import { isEncrypted } from "./pem/private-key.ts";
import { readPart } from "./pem/read-file.ts";

/**
 * Those that are tried, one after the other.
 * @throws ConfigError
 */
export function readPassphrases(
  { keyfilePasswordFile, chdir }: ConfigData,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const variable = env[passphraseVariable] ?? "";
  if (keyfilePasswordFile === null) return variable === "" ? [] : [variable];
  const { place, text } = readPart("keyfilePasswordFile", keyfilePasswordFile, chdir);
  const written = Buffer.from(text, "latin1").toString();
  const lines = written.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length > 0) return lines;
  throw new ConfigError(`${place}: must hold a passphrase in a line, it is empty`);
}

/** One that is set for no key is most likely meant for another file. */
export function warnOfUnused(pairs: readonly Pair[], { passphrases, warn }: Circumstances): void {
  if (passphrases.length === 0) return;
  const keys = pairs.flatMap(({ key }) => pemBlocks(key.text).map(({ text }) => text));
  if (!keys.some(isEncrypted)) warn("A passphrase is set, and no private key is encrypted");
}
