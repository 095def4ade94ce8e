/** What TLS is served with. The master reads and checks it; workers, who may not read the files, get it as data. */

export interface TlsCertificate {
  /** PEM: the server's certificate, and those between it and a root. */
  readonly chain: string;
  /** PEM, decrypted. */
  readonly key: string;
  /** The names by which clients ask for it (SNI), in lower case, `*.example.org` among them. */
  readonly serverNames: readonly string[];
}

/** What is asked of clients, as the setting cert_reqs numbers it. */
export const clientCertificates = ["none", "optional", "required"] as const;

export type ClientCertificates = (typeof clientCertificates)[number];

/** From the oldest to the newest. */
export const tlsVersions = ["TLSv1.2", "TLSv1.3"] as const;

export type TlsVersion = (typeof tlsVersions)[number];

export interface TlsCredentials {
  /** The first is for clients that ask for no name, or an unknown one. */
  readonly certificates: readonly [TlsCertificate, ...TlsCertificate[]];
  readonly clientCertificates: ClientCertificates;
  /** PEM: who may sign the certificates of clients; null: nobody, not even the system's roots. */
  readonly ca: string | null;
  /** An OpenSSL list for TLS 1.2; the suites of TLS 1.3 stay. */
  readonly ciphers: string;
  /** From this version on. */
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
}

/** The newest credentials of a worker: a renewal changes what the next connection is served with. */
export interface TlsSource {
  readonly current: TlsCredentials;
}
