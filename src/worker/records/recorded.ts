/** What an exchange tells of itself, apart from those who record it: only workers with observers import them. */
import type { ClientAddress } from "../../app/server.ts";
import type { TlsFacts } from "../../api/request-record.ts";
import type { PeerCertificate } from "../../api/worker-server.ts";

/** Who has sent a request. */
export interface RecordedClient {
  /** The address, also when the connection has closed; empty on a unix socket. */
  readonly clientAddress: string;
  /** Address and port; null on a unix socket, or when the client has left. */
  readonly address: ClientAddress | null;
  /** Null without TLS. */
  readonly tls: TlsFacts | null;
  /** Null: it hasn't sent one, or it has left. */
  readonly peerCertificate: PeerCertificate | null;
}

/** nginx's word for it: the connection has closed before there was an answer. */
export const noAnswer = 499;
