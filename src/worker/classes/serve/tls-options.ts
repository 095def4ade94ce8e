/** TLS credentials as Bun.serve takes them. */
import type { TlsCredentials, TlsVersion } from "../../../tls/credentials.ts";

/** Bun takes versions as numbers, though its types don't say so (RFC 8446 §4.1.2: legacy_version and what follows it). */
const versions: Readonly<Record<TlsVersion, number>> = { "TLSv1.2": 0x0303, "TLSv1.3": 0x0304 };

/**
 * The first is for clients that ask for no name or an unknown one; then one for each name. Where there are others, the first one's
 * names are among them: a wildcard of another would take them.
 */
export function tlsOptions(credentials: TlsCredentials): readonly object[] {
  const { certificates, clientCertificates, ca, ciphers, minVersion, maxVersion } = credentials;
  const asked = clientCertificates !== "none";
  // Without an authority Bun would take those of the system: anybody's certificate.
  if (asked && ca === null) throw new TypeError("client certificates are asked for without a CA");
  const common = {
    ciphers,
    minVersion: versions[minVersion],
    maxVersion: versions[maxVersion],
    // Whoever is named is trusted, also a CA below another one, which OpenSSL would look for.
    ...(asked
      ? { ca, allowPartialTrustChain: true, requestCert: true, rejectUnauthorized: true }
      : {}),
  };
  const [first, ...others] = certificates.map(({ chain, key, serverNames }) => ({
    unnamed: { ...common, cert: chain, key },
    serverNames,
  }));
  if (first === undefined) return [];
  if (others.length === 0) return [first.unnamed];
  const named = [first, ...others].flatMap(({ unnamed, serverNames }) =>
    serverNames.map((serverName) => ({ ...unnamed, serverName })),
  );
  return [first.unnamed, ...named];
}
