/** What logs tell of a connection's TLS. */
import type { TlsFacts } from "../../api/request-record.ts";
import type { PeerCertificate } from "../../api/worker-server.ts";
import type { SecureWire } from "../connection/wire.ts";

/** Those of connections without client certificates, which are few different ones. */
const shared = new Map<string, TlsFacts>();

/** Of a connection behind its handshake; `certificate` is the client's. */
export function factsOf(
  wire: Pick<SecureWire, "getTLSVersion" | "getCipher">,
  certificate: Pick<PeerCertificate, "subject"> | null,
): TlsFacts {
  const version = wire.getTLSVersion();
  const cipher = wire.getCipher().name;
  if (certificate !== null)
    return { version, cipher, clientSubject: bytesOf(distinguishedName(certificate.subject)) };
  const name = `${version} ${cipher}`;
  const known = shared.get(name);
  if (known !== undefined) return known;
  const facts = Object.freeze({ version, cipher, clientSubject: null });
  shared.set(name, facts);
  return facts;
}

/** A name as RFC 4514 writes it, the last part first: `CN=client,O=Example`. */
export function distinguishedName(name: PeerCertificate["subject"]): string {
  const parts = Object.entries(name).flatMap(([type, value]) =>
    (typeof value === "string" ? [value] : value).map((text) => `${type}=${escapeValue(text)}`),
  );
  return parts.toReversed().join(",");
}

/** Its UTF-8, a character for each byte, as all texts of clients are told. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** RFC 4514 §2.4. */
function escapeValue(value: string): string {
  return value.replace(/[\\",+;<>]|^[ #]| $/g, "\\$&").replaceAll("\0", "\\00");
}
