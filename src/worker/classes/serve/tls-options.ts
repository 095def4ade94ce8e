/** TLS credentials as Bun.serve takes them. */
import type { TlsCredentials, TlsVersion } from "../../../tls/credentials.ts";

/** Bun takes versions as numbers, though its types don't say so (RFC 8446 §4.1.2: legacy_version and what follows it). */
const versions: Readonly<Record<TlsVersion, number>> = { "TLSv1.2": 0x0303, "TLSv1.3": 0x0304 };

/** The first is for clients that ask for no name or an unknown one; then one for each other name. */
export function tlsOptions(credentials: TlsCredentials): readonly object[] {
  const { certificates, clientCertificates, ca, ciphers, minVersion, maxVersion } = credentials;
  const asked = clientCertificates !== "none";
  // Without an authority Bun would take those of the system: anybody's certificate.
  if (asked && ca === null) throw new TypeError("client certificates are asked for without a CA");
  const common = {
    ciphers,
    minVersion: versions[minVersion],
    maxVersion: versions[maxVersion],
    ...(asked ? { ca, requestCert: true, rejectUnauthorized: true } : {}),
  };
  const [first, ...others] = certificates.map(({ chain, key }) => ({
    ...common,
    cert: chain,
    key,
  }));
  const named = certificates
    .slice(1)
    .flatMap(({ serverNames }, index) =>
      serverNames.map((serverName) => ({ ...others[index], serverName })),
    );
  return [{ ...first }, ...named];
}
