/** What a log says of a certificate. */
import { X509Certificate } from "node:crypto";
import type { TlsCertificate } from "./credentials.ts";
import { pemBlocks } from "./pem/pem.ts";

/** What of a certificate the log speaks of. */
export interface CertificateFacts {
  /** Of no other certificate. */
  readonly fingerprint: string;
  /** Subject and names, `CN=example.org (example.org, www.example.org)`. */
  readonly name: string;
  /** The end of its validity, or of the first to end in its chain; in milliseconds since 1970. */
  readonly expiresMs: number;
}

/** @param certificate a checked one: what can't be parsed throws */
export function describeCertificate({ chain }: TlsCertificate): CertificateFacts {
  const parsed = pemBlocks(chain).map(({ text }) => new X509Certificate(text));
  const [leaf] = parsed;
  const ends = parsed.map(({ validTo }) => Date.parse(validTo));
  return {
    fingerprint: leaf?.fingerprint256 ?? "",
    name: leaf === undefined ? "" : nameOf(leaf),
    expiresMs: Math.min(...ends),
  };
}

/** Some have no subject, and some no names. */
function nameOf({ subject, subjectAltName }: X509Certificate): string {
  const who = (subject ?? "").trim().replaceAll("\n", ", ");
  const names = (subjectAltName ?? "").replaceAll(/\b(?:DNS|IP Address):/g, "");
  if (who === "") return names;
  return names === "" ? who : `${who} (${names})`;
}
