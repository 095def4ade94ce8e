/** What node:tls shows of a connection that speaks TLS with this server; Bun's own node:https shows a part of it. */
import type { TlsFacts } from "../../../api/request-record.ts";
import type { PeerCertificate } from "../../../api/worker-server.ts";

export interface SecureClient {
  /** Null without TLS, also where a proxy says that its client speaks it. */
  readonly tls: TlsFacts | null;
  readonly peerCertificate: PeerCertificate | null;
}

/** Puts it on a socket, where there is something. */
export function showTls(socket: object, client: SecureClient): void {
  const { tls } = client;
  if (tls === null) return;
  const { version, cipher: name, clientSubject } = tls;
  const values = {
    // Who has shown another one isn't let in.
    authorized: clientSubject !== null,
    // As node has it: empty, if there is none.
    getPeerCertificate: () => client.peerCertificate ?? {},
    getProtocol: () => version,
    getCipher: () => ({ name, version }),
  };
  for (const [key, value] of Object.entries(values))
    Object.defineProperty(socket, key, { value, configurable: true });
}
