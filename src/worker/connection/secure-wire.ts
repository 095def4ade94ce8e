import type { PeerCertificate } from "../../api/worker-server.ts";
import type { Wire } from "./wire.ts";

/** A socket of Bun's that speaks TLS. */
export interface SecureWire extends Wire {
  /** An authority that is trusted has signed the client's certificate, and it is valid. */
  readonly authorized: boolean;
  /** Closes at once, without a word of TLS. */
  close(): void;
  /** `TLSv1.3`. */
  getTLSVersion(): string;
  getCipher(): { readonly name: string };
  /** The client's; undefined: it has sent none. */
  getPeerCertificate(): PeerCertificate | undefined;
}
