/**
 * Credentials as OpenSSL contexts. Invariant: connections share them, one for each certificate, since only the context
 * that has issued a session's ticket resumes it, and since reading a key costs more than a handshake.
 */
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { TlsCertificate, TlsCredentials } from "../../tls/credentials.ts";
import { certificateFor } from "./server-names.ts";

/** Bun's own, inside of what node:tls makes. */
export type NativeContext = object & { readonly native?: never };

/** ALPN (RFC 7301 §3.1) in its wire form: a length, and the name. */
const alpnProtocols = Buffer.from("\x08http/1.1\x08http/1.0", "latin1");

/**
 * Trusted where no client is asked for a certificate: one that was over when it was made, of a key that is gone. Whom
 * the system trusts would be trusted otherwise, and a certificate that is alone in its file would be verified in each
 * handshake, to send its signers along if the system knows them (bench: tls-handshakes).
 */
const nobody = `-----BEGIN CERTIFICATE-----
MIH/MIGyoAMCAQICAQEwBQYDK2VwMBExDzANBgNVBAMMBm5vYm9keTAeFw0wMDAx
MDEwMDAwMDBaFw0wMDAxMDEwMDAwMDBaMBExDzANBgNVBAMMBm5vYm9keTAqMAUG
AytlcAMhAGFzCU1ZnOjpAXS//lWPnxYhgHuYhK8LMCU9yBQ34Yc2oy8wLTAMBgNV
HRMBAf8EAjAAMB0GA1UdDgQWBBRn2bTLDZBK5KKBjUlPJO1mutd0LDAFBgMrZXAD
QQCiCM9lx4DPNtWKVhdpt/Jqa0QU/rLwpQhalXLrwcMwKuZ/fcBsa4N18yuDGbuq
Io50LDSaxf0cAyOG7FbzAP4A
-----END CERTIFICATE-----
`;

/** What Bun.listen and upgradeTLS take as `tls`. */
export interface NativeTls {
  readonly secureContext: NativeContext;
  readonly ALPNProtocols: Buffer;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

export class Contexts {
  readonly credentials: TlsCredentials;
  /** For clients that ask for no name. */
  readonly tls: NativeTls;
  readonly #natives: readonly NativeContext[];

  /** Throws what OpenSSL finds wrong, which the master has seen before. */
  constructor(credentials: TlsCredentials) {
    this.credentials = credentials;
    const asked = askedOfClients(credentials);
    const natives = credentials.certificates.map((each) => nativeContext(each, credentials));
    this.#natives = natives;
    this.tls = {
      secureContext: natives[0] as NativeContext,
      ALPNProtocols: alpnProtocols,
      ...asked,
    };
  }

  /** Some certificate is for a name. */
  get hasNames(): boolean {
    return this.#natives.length > 1;
  }

  /** For a client that asks for `name`; the first one's for an unknown name. */
  for(name: string): NativeContext {
    const index = certificateFor(this.credentials.certificates, name);
    return this.#natives[index] as NativeContext;
  }
}

function askedOfClients({ clientCertificates }: TlsCredentials) {
  return {
    requestCert: clientCertificates !== "none",
    // Who sends a wrong one where none is needed is found out behind the handshake.
    rejectUnauthorized: clientCertificates === "required",
  };
}

function nativeContext({ chain, key }: TlsCertificate, credentials: TlsCredentials): NativeContext {
  const { ca, ciphers, minVersion, maxVersion } = credentials;
  const asked = askedOfClients(credentials);
  const options = {
    cert: chain,
    key,
    ciphers,
    minVersion,
    maxVersion,
    ...asked,
    ...trusted(asked.requestCert, ca),
  };
  const { context } = createSecureContext(options as SecureContextOptions);
  return context as NativeContext;
}

function trusted(requestCert: boolean, ca: string | null): SecureContextOptions {
  if (!requestCert) return { ca: nobody };
  // Whoever is named is trusted, also a CA below another one, which OpenSSL would look for.
  return ca === null ? {} : { ca, allowPartialTrustChain: true };
}
