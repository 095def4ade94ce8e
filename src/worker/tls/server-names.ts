/** Which certificate a client gets, by the name that it asks for (SNI, RFC 6066 §3). */
import type { TlsCertificate } from "../../tls/credentials.ts";

/**
 * The index of the certificate for `name`: one for the very name before one for `*.` and all behind its first label
 * (RFC 9525 §6.3), and the first of all for an unknown name.
 */
export function certificateFor(
  certificates: readonly Pick<TlsCertificate, "serverNames">[],
  name: string,
): number {
  const asked = name.toLowerCase();
  const exact = certificates.findIndex(({ serverNames }) => serverNames.includes(asked));
  if (exact !== -1) return exact;
  const dot = asked.indexOf(".");
  const wildcard = dot <= 0 ? "" : `*${asked.slice(dot)}`;
  return Math.max(
    0,
    certificates.findIndex(({ serverNames }) => serverNames.includes(wildcard)),
  );
}
