/** A client that speaks plain HTTP to a secure listener is told so, as nginx does it. */
import type { ClientAddress } from "../../app/server.ts";
import { errors } from "../../http/errors.ts";
import { currentDate } from "../../http/response/head/date.ts";
import { refusalPage } from "../../http/response/error-page.ts";
import { OutputBuffer } from "../../http/response/output.ts";
import { encodeFixed } from "../../http/response/response.ts";
import { LastWords } from "../../os/sockets/last-words.ts";
import type { Acceptor } from "../connection/acceptor.ts";
import type { Connections, Member } from "../connection/connections.ts";
import type { Wire } from "../connection/wire.ts";

const refusal = "plain http on a tls port";

/** To be called while the socket is open: whoever owns it closes it then. `named`: the client by a PROXY header. */
export function refusePlainHttp(
  { site, engine, connections, left }: Acceptor,
  wire: Wire,
  named: ClientAddress | null,
): void {
  const { level, text } = errors[refusal];
  const clientAddress = named?.address ?? wire.remoteAddress ?? "";
  site.log[level](`Invalid request from ip=${clientAddress}: ${text}`);
  const page = refusalPage(refusal, currentDate());
  const output = new OutputBuffer();
  encodeFixed(page, output);
  const words = LastWords.on(wire.fd);
  if (words === null) return;
  output.writeTo(words);
  words.end();
  const client = { clientAddress, address: named, tls: null, peerCertificate: null };
  site.records?.refused({ client, server: site.server, reader: null }, page.status, page.bodyBytes);
  const { lingerTicks } = engine.settings.deadlines;
  connections.add(new Lingering(words, lingerTicks, connections, left));
}

/** A closed socket with unread bytes is reset, and the answer lost (RFC 9112 §9.6): they are read for a while. */
class Lingering implements Member {
  readonly #words: LastWords;
  readonly #connections: Connections;
  readonly #left: () => void;
  #ticks: number;

  constructor(words: LastWords, ticks: number, connections: Connections, left: () => void) {
    this.#words = words;
    this.#ticks = ticks;
    this.#connections = connections;
    this.#left = left;
  }

  tick(): void {
    this.#ticks -= 1;
    if (!this.#words.heard() && this.#ticks > 0) return;
    this.#words.close();
    this.#connections.remove(this);
    this.#left();
  }

  drain(): void {}
}
