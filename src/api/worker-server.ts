import type { Trace } from "./trace.ts";

/** What `new Headers()` takes, without the name that each runtime has for it. */
export type HeaderFields =
  Response["headers"] | Record<string, string> | [name: string, value: string][];

/** What the second argument of an app's fetch has besides what Bun's own Server has. */
export interface WorkerServer {
  /** Which of the workers this is, from 0 on; a successor has the same. */
  readonly slot: number;
  /** Where the app is mounted: the setting root_path. Worker class serve has no such setting. */
  readonly rootPath?: string;
  /**
   * Sends `103 Early Hints` with these fields at once, so that the client can fetch what the answer will need while the app
   * is at work on it (RFC 8297). May be called several times.
   * @returns false if nothing was sent: the answer has begun, the client speaks HTTP/1.0, has left, or doesn't read
   * @throws TypeError for a field that no answer can have; Error in worker class serve, since Bun.serve can't send it
   */
  earlyHints(request: Request, headers: HeaderFields): boolean;
  /**
   * The certificate that the client of a request has sent, and that has been verified by the setting ca_certs.
   * @returns null if it has sent none, hasn't been asked for one (cert_reqs), or has left
   * @throws Error in worker class serve, since Bun.serve doesn't tell
   */
  peerCertificate(request: Request): PeerCertificate | null;
  /** A request's place in a trace; null without the setting otel_endpoint. currentTrace() gives the same. */
  trace(request: Request): Trace | null;
}

/** A name in a certificate by its parts: `{ CN: "client", O: "Example" }`; an array where one is repeated. */
export type CertificateName = Readonly<Record<string, string | readonly string[]>>;

/** A client's certificate, as node's tlsSocket.getPeerCertificate() has it. */
export interface PeerCertificate {
  readonly subject: CertificateName;
  readonly issuer: CertificateName;
  /** `DNS:client.example.org, email:client@example.org`; absent where there are none. */
  readonly subjectaltname?: string;
  /** In hexadecimal. */
  readonly serialNumber: string;
  /** `Nov 28 14:00:00 2026 GMT`. */
  readonly valid_from: string;
  readonly valid_to: string;
  /** SHA-1, and SHA-256, in hexadecimal with colons. */
  readonly fingerprint: string;
  readonly fingerprint256: string;
  /** The certificate itself, in DER. */
  readonly raw: Uint8Array;
}
