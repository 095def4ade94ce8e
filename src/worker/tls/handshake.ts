/**
 * The first owner of a socket on a secure listener: the client has so long for its handshake as for the head of a
 * request. Invariant: no byte comes to HTTP before the handshake is over and the client's certificate is judged.
 */
import type { TlsFacts } from "../../api/request-record.ts";
import type { Log } from "../../api/log.ts";
import type { Member } from "../connection/connections.ts";
import type { DeadlineTicks } from "../connection/deadlines.ts";
import type { SecureWire } from "../connection/secure-wire.ts";
import type { WireOwner } from "../connection/wire.ts";
import type { ClientCertificates } from "../../tls/credentials.ts";
import { factsOf } from "./facts.ts";
import { reasonOf } from "./reason.ts";

export interface HandshakeParts {
  readonly wire: SecureWire;
  readonly deadlines: Pick<DeadlineTicks, "headTicks" | "keepAliveTicks" | "lingerTicks">;
  readonly clientCertificates: ClientCertificates;
  readonly log: Pick<Log, "debug">;
  /** What log lines call the client. */
  readonly address: string;
  /** It is over, and well: whoever is called becomes the owner. */
  readonly secured: (wire: SecureWire, facts: TlsFacts) => void;
}

export class Handshake implements Member, WireOwner {
  readonly #parts: HandshakeParts;
  /** Until it is cut; 0: never. */
  #left: number;
  #over = false;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
    this.#left = parts.deadlines.headTicks;
  }

  /** The handshake has ended: `error` says why if it has failed, after which Bun closes the socket. */
  ended(success: boolean, error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const { wire, clientCertificates, secured } = this.#parts;
    if (!success) return this.#tell(reasonOf(error));
    const asked = clientCertificates !== "none";
    const certificate = asked ? (wire.getPeerCertificate() ?? null) : null;
    if (asked && !wire.authorized && (certificate !== null || clientCertificates === "required")) {
      this.#tell(`client certificate refused: ${reasonOf(error)}`);
      return wire.end();
    }
    secured(wire, factsOf(wire, certificate));
  }

  tick(): void {
    if (this.#left === 0 || --this.#left > 0 || this.#over) return;
    this.#over = true;
    this.#tell("header_timeout");
    this.#parts.wire.terminate();
  }

  /** The worker leaves: who has been accepted is served, but isn't waited for longer than an idle client. */
  drain(): void {
    const { keepAliveTicks, lingerTicks } = this.#parts.deadlines;
    const most = Math.max(keepAliveTicks, lingerTicks);
    this.#left = this.#left === 0 ? most : Math.min(this.#left, most);
  }

  // Bun reads and writes for itself by now.

  receive(): void {}
  drained(): void {}
  clientEnded(): void {}

  closed(): void {
    this.#over = true;
  }

  #tell(reason: string): void {
    this.#parts.log.debug(`Closing ip=${this.#parts.address}: TLS handshake: ${reason}`);
  }
}
