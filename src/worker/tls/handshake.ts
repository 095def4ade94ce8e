/**
 * The first owner of a socket on a secure listener: the client has so long for its handshake as for the head of a
 * request. Invariant: no byte comes to HTTP before the handshake is over and the client's certificate is judged.
 */
import type { TlsFacts } from "../../api/request-record.ts";
import type { Log } from "../../api/log.ts";
import type { PeerCertificate } from "../../api/worker-server.ts";
import type { ClientAddress } from "../../app/server.ts";
import type { Member } from "../connection/connections.ts";
import type { DeadlineTicks } from "../connection/deadlines.ts";
import type { SecureWire, WireOwner } from "../connection/wire.ts";
import type { ClientCertificates } from "../../tls/credentials.ts";
import { factsOf } from "./facts.ts";
import { validityProblem } from "./validity.ts";
import { Patience } from "./patience.ts";
import { isPlainHttp, reasonOf } from "./reason.ts";

/** What the handshakes of a listener have in common. */
export interface HandshakeTerms {
  readonly deadlines: Pick<DeadlineTicks, "headTicks" | "keepAliveTicks" | "lingerTicks">;
  readonly clientCertificates: ClientCertificates;
  /** Somebody is trusted to sign them. Without that, OpenSSL asks the authorities of the web, who sign for anybody. */
  readonly hasAuthority: boolean;
  readonly log: Pick<Log, "debug">;
  /** It is over, and well: whoever is called gives the socket another owner. */
  secured(handshake: Handshake, facts: TlsFacts): void;
  /** The client doesn't speak TLS, but HTTP. The socket is open until this returns. */
  plainHttp(handshake: Handshake): void;
}

export class Handshake implements Member, WireOwner {
  readonly wire: SecureWire;
  /** The client, as a PROXY header has it; null: there was none, or it names nobody. */
  readonly named: ClientAddress | null;
  readonly #terms: HandshakeTerms;
  readonly #patience: Patience;
  /** What log lines call the client, which a closed socket doesn't tell. */
  readonly #address: string;
  #over = false;

  constructor(wire: SecureWire, terms: HandshakeTerms, named: ClientAddress | null) {
    this.wire = wire;
    this.named = named;
    this.#terms = terms;
    this.#patience = new Patience(terms.deadlines);
    this.#address = named === null ? (wire.remoteAddress ?? "") : named.address;
  }

  /** The handshake has ended: `error` says why if it has failed, after which Bun closes the socket. */
  ended(success: boolean, error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const { wire } = this;
    const terms = this.#terms;
    if (!success) return isPlainHttp(error) ? terms.plainHttp(this) : this.#tell(reasonOf(error));
    if (terms.clientCertificates === "none") return terms.secured(this, factsOf(wire, null));
    const certificate = wire.getPeerCertificate() ?? null;
    const problem = this.#problemOf(certificate, error);
    if (problem !== null) {
      this.#tell(`client certificate refused: ${problem}`);
      return wire.end();
    }
    terms.secured(this, factsOf(wire, certificate));
  }

  /** Why a client isn't let in with the certificate that it has shown, or without any; null: it is. */
  #problemOf(certificate: PeerCertificate | null, error: unknown): string | null {
    const { clientCertificates, hasAuthority } = this.#terms;
    if (certificate === null) return clientCertificates === "optional" ? null : reasonOf(error);
    if (!this.wire.authorized || !hasAuthority) return reasonOf(error);
    return validityProblem(certificate, Date.now());
  }

  tick(): void {
    const expired = this.#patience.expired();
    if (expired === null || this.#over) return;
    this.#over = true;
    this.#tell(expired);
    this.wire.close();
  }

  drain(): void {
    this.#patience.shorten();
  }

  // Bun reads and writes for itself by now.

  receive(): void {}
  drained(): void {}
  clientEnded(): void {}

  closed(): void {
    this.#over = true;
  }

  #tell(reason: string): void {
    this.#terms.log.debug(`Closing ip=${this.#address}: TLS handshake: ${reason}`);
  }
}
