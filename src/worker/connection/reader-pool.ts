/** Readers for the connections on which a request is on its way: an idle connection holds none. */
import { headsByTrust, MessageReader } from "../../http/request/message-reader.ts";
import type { EngineSettings } from "./engine-settings.ts";

/** How many idle readers are kept for the next requests. */
const spareReaders = 64;

export class ReaderPool {
  readonly #settings: EngineSettings;
  readonly #spare: MessageReader[] = [];
  readonly #heads = headsByTrust();

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  /** A reader for a connection on which a request begins. `trusted`: its peer is in forwarded_allow_ips. */
  lend(trusted: boolean): MessageReader {
    const { limits, parserOptions, maxBodyBytes } = this.#settings;
    const reader =
      this.#spare.pop() ?? new MessageReader(limits, parserOptions, maxBodyBytes, this.#heads);
    reader.trusted = trusted;
    return reader;
  }

  /** Takes a reader that has read a whole request, and nothing of the next; the connection holds none then. */
  takeBack(reader: MessageReader | null): null {
    reader?.forget();
    if (reader?.fresh === true && this.#spare.length < spareReaders) this.#spare.push(reader);
    return null;
  }
}
