import type { PeerCertificate } from "../../api/worker-server.ts";

/** What a connection needs of a socket: Bun's own has it. */
export interface Wire {
  /** Whom the socket tells what happens. */
  data: WireOwner;
  /** The descriptor; -1 when it is closed. Not in bun-types. */
  readonly fd: number;
  /** Undefined on a unix socket, as are the other two. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: "IPv4" | "IPv6" | undefined;
  /** The server's end; undefined likewise. Not in bun-types. */
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly localFamily: "IPv4" | "IPv6" | undefined;
  /** How many bytes it took; below 0 when it is closed. */
  write(data: string | Uint8Array): number;
  /** Sends FIN; the client may go on sending. */
  shutdown(): void;
  end(): void;
  /** Closes at once: behind what is written, FIN; no word of TLS. Not in bun-types. */
  close(): void;
  /** Leaves by a reset, and drops what the kernel holds. */
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** A socket of Bun's that speaks TLS. */
export interface SecureWire extends Wire {
  /** An authority that is trusted has signed the client's certificate, and it is valid. */
  readonly authorized: boolean;
  /** `TLSv1.3`. */
  getTLSVersion(): string;
  getCipher(): { readonly name: string };
  /** The client's; undefined: it has sent none. */
  getPeerCertificate(): PeerCertificate | undefined;
}

export interface WireOwner {
  /** Bytes that it may keep. */
  receive(bytes: Buffer): void;
  /** It takes bytes again. */
  drained(): void;
  /** The other side sends nothing more. */
  clientEnded(): void;
  /** It has closed, by whatever cause. */
  closed(): void;
}
