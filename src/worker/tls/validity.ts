import type { PeerCertificate } from "../../api/worker-server.ts";

/**
 * Why a certificate that an authority has signed is none at a moment; null: it is one. OpenSSL looks at it in a full handshake
 * alone: a session that is resumed has been let in before, hours ago.
 * @param nowMs since 1970
 */
export function validityProblem(
  { valid_from: from, valid_to: to }: Pick<PeerCertificate, "valid_from" | "valid_to">,
  nowMs: number,
): string | null {
  if (nowMs > Date.parse(to)) return "certificate has expired";
  return nowMs < Date.parse(from) ? "certificate is not yet valid" : null;
}
