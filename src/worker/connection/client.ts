/** Who is at the other end: the socket's own peer, or the client that a PROXY header names. */
import type { ClientAddress } from "../../app/server.ts";
import type { ProxyErrorName } from "../../http/errors.ts";
import type { ProxyReader } from "../../http/proxy/proxy-protocol.ts";
import type { Site } from "../exchange/site.ts";
import type { EngineSettings } from "./engine-settings.ts";
import type { TlsFacts } from "../../api/request-record.ts";
import type { PeerCertificate } from "../../api/worker-server.ts";
import type { SecureWire, Wire } from "./wire.ts";

/** What has become known of a client before its connection speaks HTTP. */
export interface Foregoing {
  /** Null without TLS. */
  readonly tls: TlsFacts | null;
  /** By a PROXY header; null: there was none, or it names nobody. */
  readonly named: ClientAddress | null;
}

/** A peer on a unix socket, as log lines show it: Gunicorn writes no address either. */
const nowhere: ClientAddress = { address: "", family: "IPv4", port: 0 };

const nobodyNamed: Foregoing = { tls: null, named: null };

/**
 * Whom trust is asked about; undefined on a unix socket only. Who has reset the connection before it was accepted has
 * no address any more, but what he has sent is still read: as nobody's.
 */
export function peerOf(
  { remoteAddress }: Pick<Wire, "remoteAddress">,
  unix: boolean,
): string | undefined {
  return unix ? undefined : (remoteAddress ?? "");
}

/** Whether that is so: a health check may send a PROXY header and a reset, of which nobody wants to read. */
export function hadLeft({ remoteAddress }: Pick<Wire, "remoteAddress">, unix: boolean): boolean {
  return !unix && remoteAddress === undefined;
}

export class Client {
  /**
   * The socket's peer is in forwarded_allow_ips. A PROXY header changes nothing here: it is the proxy whose
   * word is believed, and not its client's.
   */
  readonly trusted: boolean;
  /** It has reset the connection before that was accepted. */
  readonly hadLeft: boolean;
  readonly #wire: Wire;
  /** Set until it is known whether the connection's first bytes are a PROXY header. */
  #proxy: ProxyReader | null = null;
  #foregoing: Foregoing | null;
  /**
   * The address, kept only for observers: a closed socket doesn't tell it, and an open one makes the text anew (bench:
   * access-log).
   */
  readonly #address: string;
  /** What an app's requests of this connection share, and what ends with it. */
  attached: { connectionClosed(): void } | null = null;

  /** `foregoing`: null for a plain connection. */
  constructor(
    wire: Wire,
    settings: EngineSettings,
    site: Pick<Site, "records" | "unix">,
    foregoing: Foregoing | null = null,
  ) {
    const peer = peerOf(wire, site.unix);
    this.#wire = wire;
    this.trusted = settings.trusts(peer);
    this.#address = site.records === null ? "" : (peer ?? "");
    this.hadLeft = hadLeft(wire, site.unix);
    this.#foregoing = foregoing;
    if (settings.readProxy === null || foregoing !== null) return;
    this.#proxy = settings.readProxy(peer);
  }

  /** For a connection in this one's place, which begins behind what has been read. */
  get foregoing(): Foregoing {
    return this.#foregoing ?? nobodyNamed;
  }

  /** Null without TLS. */
  get tls(): TlsFacts | null {
    return this.#foregoing === null ? null : this.#foregoing.tls;
  }

  /** Whom a PROXY header names. */
  get #named(): ClientAddress | null {
    return this.#foregoing === null ? null : this.#foregoing.named;
  }

  /** The client for log lines; the address is empty where there is none. */
  get shown(): ClientAddress {
    return this.address ?? nowhere;
  }

  /** The address for observers, also when the connection has closed; empty on a unix socket. */
  get clientAddress(): string {
    return this.#named?.address ?? this.#address;
  }

  /** Null on a unix socket, unless a PROXY header names the client. */
  get address(): ClientAddress | null {
    const named = this.#named;
    if (named !== null) return named;
    const { remoteAddress: address, remoteFamily: family, remotePort: port } = this.#wire;
    if (address === undefined || family === undefined || port === undefined) return null;
    return { address, family, port };
  }

  /** Where it has connected to; null on a unix socket, or when it has left. */
  get localAddress(): ClientAddress | null {
    const { localAddress: address, localFamily: family, localPort: port } = this.#wire;
    if (address === undefined || family === undefined || port === undefined) return null;
    return { address, family, port };
  }

  /** What the client has shown, and what has been verified; null: nothing, or it has left. */
  get peerCertificate(): PeerCertificate | null {
    const { tls } = this;
    if (tls === null || tls.clientSubject === null || this.#wire.fd < 0) return null;
    return (this.#wire as SecureWire).getPeerCertificate() ?? null;
  }

  /** Whether a PROXY header may still come, so that bytes go to read() first. */
  get unread(): boolean {
    return this.#proxy !== null;
  }

  /** Takes the PROXY header off a connection's first bytes. Answers the pieces that are HTTP, or what is wrong. */
  read(bytes: Buffer): readonly Buffer[] | "need more" | ProxyErrorName {
    const proxy = this.#proxy as ProxyReader;
    const step = proxy.feed(bytes, 0, bytes.length);
    if (step !== "plain" && step !== "done") return step;
    this.#proxy = null;
    if (proxy.source !== null) this.#foregoing = { tls: null, named: proxy.source };
    const rest = bytes.subarray(proxy.consumed);
    // What looked like a PROXY header for some bytes is HTTP after all.
    return step === "plain" ? [proxy.kept, rest] : [rest];
  }
}
