/** What TLS is served with, read and checked by the master: workers may not be able to read the files. */
import { ConfigError } from "../api/errors.ts";
import type { Config } from "../config/types.ts";
import { hasCertificates } from "../net/secure-addresses.ts";
import { checkPair, type CheckedPair, type Circumstances } from "./check-certificate.ts";
import { checkAuthorities } from "./check-clients.ts";
import { checkCiphers, servesKind } from "./ciphers.ts";
import { draftOf, type CredentialsDraft } from "./credentials-draft.ts";
import type { TlsCertificate, TlsCredentials } from "./credentials.ts";
import { askHook } from "./hook-answer.ts";
import { readPassphrases, warnOfUnused } from "./passphrases.ts";
import { assignNames } from "./server-names.ts";

export interface Surroundings {
  /** The environment that the program was started with: it may hold the passphrase. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hears, in one line each, of what is served all the same; but of expiry (decide/certificates.ts). */
  readonly warn: (message: string) => void;
  readonly nowMs?: number;
}

/**
 * Reads all that a configuration serves TLS with; null: it serves none. Nothing of it is used before it is whole and
 * right.
 * @throws ConfigError with one line: where, what, and what was got
 */
export function readCredentials(config: Config, surroundings: Surroundings): TlsCredentials | null {
  if (!hasCertificates(config)) return null;
  const { env, warn, nowMs = Date.now() } = surroundings;
  const passphrases = readPassphrases(config, env);
  const around = { passphrases, allowExpired: config.tlsAllowExpired, nowMs, warn };
  const { sslContext } = config;
  if (sslContext === null) return check(draftOf(config), around);
  const quietly = { ...around, warn: () => {} };
  const answer = askHook(config, sslContext, () => check(draftOf(config), quietly));
  return check(answer, around);
}

function check(draft: CredentialsDraft, around: Circumstances): TlsCredentials {
  const { place, ca, clientCertificates, minVersion, maxVersion } = draft;
  const pairs = draft.certificates.map((pair) => checkPair(pair, around));
  const names = assignNames(
    draft.certificates.map(({ place: named, serverNames }, at) => ({
      place: named,
      wanted: serverNames,
      leaf: pairs[at]!.leaf,
    })),
  );
  if (clientCertificates !== "none" && ca === null)
    throw new ConfigError(
      `${place}ca: must be set where clientCertificates is ${clientCertificates}, got null: nobody could get in`,
    );
  warnOfUnused(draft.certificates, around);
  const certificates = pairs.map(({ chain, key }, at): TlsCertificate => ({
    chain,
    key,
    serverNames: names[at]!,
  }));
  return {
    // Without any there is no draft.
    certificates: certificates as [TlsCertificate, ...TlsCertificate[]] & TlsCertificate[],
    clientCertificates,
    ca: ca === null ? null : checkAuthorities(ca, around),
    ciphers: ciphersOf(draft, pairs, around),
    minVersion,
    maxVersion,
  };
}

function ciphersOf(
  draft: CredentialsDraft,
  pairs: readonly CheckedPair[],
  { warn }: Circumstances,
): string {
  const { place, minVersion, maxVersion, certificates } = draft;
  const named = `${place}ciphers: `;
  try {
    const ciphers = checkCiphers(draft.ciphers, (message) => warn(`${named}${message}`));
    if (minVersion === "TLSv1.3") return ciphers;
    for (const [at, { leaf }] of pairs.entries()) {
      const kind = leaf.publicKey.asymmetricKeyType;
      if (servesKind(ciphers, kind)) continue;
      const message = `none is for a key of kind ${kind}, which ${certificates[at]!.chain.place} has, got '${ciphers}'`;
      if (maxVersion === "TLSv1.2") throw new ConfigError(`${message}: nobody could get in`);
      warn(`${named}${message}: no client of TLS 1.2 gets in`);
    }
    return ciphers;
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`${named}${cause.message}`, { cause });
  }
}
