/** The first owner of a socket behind a proxy that speaks the PROXY protocol: its header comes in front of TLS. */
import type { Log } from "../../api/log.ts";
import type { ClientAddress } from "../../app/server.ts";
import { errors, type ProxyErrorName } from "../../http/errors.ts";
import { ProxyReader } from "../../http/proxy/proxy-protocol.ts";
import type { Member } from "../connection/connections.ts";
import { hadLeft, peerOf } from "../connection/client.ts";
import type { EngineSettings } from "../connection/engine-settings.ts";
import type { Wire, WireOwner } from "../connection/wire.ts";
import { Patience } from "./patience.ts";

export class ProxyAhead implements Member, WireOwner {
  /** The client that the header names; null: none yet, or nobody. */
  named: ClientAddress | null = null;
  readonly #wire: Wire;
  readonly #log: Pick<Log, "debug" | "warning">;
  readonly #patience: Patience;
  readonly #read: (rest: Buffer) => void;
  readonly #hadLeft: boolean;
  /** Null when it has been read, or never will be: what comes is none of its business. */
  #reader: ProxyReader | null;

  /** @param read is called once, when the header has come, with what has come behind it */
  constructor(
    wire: Wire,
    settings: Pick<EngineSettings, "deadlines" | "proxyMode" | "mayProxy">,
    unix: boolean,
    log: Pick<Log, "debug" | "warning">,
    read: (rest: Buffer) => void,
  ) {
    this.#wire = wire;
    this.#hadLeft = hadLeft(wire, unix);
    this.#log = log;
    this.#read = read;
    this.#patience = new Patience(settings.deadlines);
    this.#reader = new ProxyReader(settings.proxyMode, settings.mayProxy(peerOf(wire, unix)));
  }

  receive(bytes: Buffer): void {
    const reader = this.#reader;
    if (reader === null) return;
    const step = reader.feed(bytes, 0, bytes.length);
    if (step === "need more") return;
    this.#reader = null;
    if (step !== "plain" && step !== "done") return this.#refuse(step);
    const rest = bytes.subarray(reader.consumed);
    this.named = reader.source;
    this.#read(step === "plain" ? Buffer.concat([reader.kept, rest]) : rest);
  }

  drained(): void {}

  clientEnded(): void {
    if (this.#reader !== null) this.#leave("the client has left");
  }

  closed(): void {
    this.#reader = null;
  }

  tick(): void {
    const expired = this.#patience.expired();
    if (expired !== null) this.#leave(expired);
  }

  drain(): void {
    this.#patience.shorten();
  }

  /** There is no telling it in a language that the client has begun to speak. */
  #refuse(name: ProxyErrorName): void {
    if (this.#hadLeft) return this.#leave("the client had left");
    const { level, text } = errors[name];
    this.#log[level](`Invalid request from ip=${this.#wire.remoteAddress ?? ""}: ${text}`);
    this.#wire.end();
  }

  #leave(reason: string): void {
    this.#reader = null;
    this.#log.debug(`Closing ip=${this.#wire.remoteAddress ?? ""}: PROXY header: ${reason}`);
    this.#wire.end();
  }
}
