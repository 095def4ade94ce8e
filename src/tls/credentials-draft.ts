/** What TLS is to be served with, before it is checked: it comes from files, or from the hook ssl_context. */
import type { ConfigData } from "../config/data.ts";
import type { Pair } from "./check-certificate.ts";
import { defaultCiphers } from "./ciphers.ts";
import { clientCertificates, type TlsCredentials, type TlsVersion } from "./credentials.ts";
import { type Part, readPart } from "./pem/read-file.ts";

export interface CertificateDraft extends Pair {
  /** What messages about its names begin with: `tls[1].`. */
  readonly place: string;
  /** The names that it is given; none: its own. */
  readonly serverNames: readonly string[];
}

export type CredentialsDraft = Pick<TlsCredentials, "clientCertificates" | "ciphers"> & {
  /** What messages about anything but certificates begin with. */
  readonly place: string;
  readonly certificates: readonly CertificateDraft[];
  readonly ca: Part | null;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
};

/** The files of a certificate, by the settings that name them. */
interface Files {
  readonly place: string;
  readonly certfile: string;
  readonly keyfile: string | null;
  readonly servername: readonly string[];
}

const versions = {
  TLS: ["TLSv1.2", "TLSv1.3"],
  TLSv1_2: ["TLSv1.2", "TLSv1.2"],
  TLSv1_3: ["TLSv1.3", "TLSv1.3"],
} as const satisfies Record<ConfigData["sslVersion"], readonly TlsVersion[]>;

/**
 * Reads the files.
 * @throws ConfigError
 */
export function draftOf(config: ConfigData): CredentialsDraft {
  const { chdir, caCerts, certReqs, ciphers, sslVersion } = config;
  const [minVersion, maxVersion] = versions[sslVersion];
  return {
    place: "",
    certificates: filesOf(config).map((files) => readFiles(files, chdir)),
    ca: caCerts === null ? null : readPart("caCerts", caCerts, chdir),
    clientCertificates: clientCertificates[certReqs] ?? "required",
    ciphers: ciphers ?? defaultCiphers,
    minVersion,
    maxVersion,
  };
}

function filesOf({ certfile, keyfile, tls }: ConfigData): Files[] {
  const own = certfile === null ? [] : [{ place: "", certfile, keyfile, servername: [] }];
  return [...own, ...tls.map((entry, index) => ({ place: `tls[${index}].`, ...entry }))];
}

function readFiles({ place, certfile, keyfile, servername }: Files, folder: string) {
  const chain = readPart(`${place}certfile`, certfile, folder);
  const key = keyfile === null ? chain : readPart(`${place}keyfile`, keyfile, folder);
  return { place, chain, key, serverNames: servername };
}
