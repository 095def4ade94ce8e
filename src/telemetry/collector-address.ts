/**
 * Where a host of the network is: a numeric address at once, a name as soon as it has been looked up, in the
 * background.
 */
import { isIPv4 } from "../net/ip-address.ts";
import type { TcpName } from "../os/sockets/socket-address.ts";
import type { InternetAddress } from "../net/telemetry-address.ts";

/** A name is looked up again while it is in use: a container that was started anew has another address. */
const refreshMs = 60_000;
const retryMs = 30_000;

type Lookup = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export class CollectorAddress {
  readonly #host: string;
  readonly #port: number;
  readonly #onProblem: (message: string) => void;
  readonly #lookup: Lookup;
  #names: readonly TcpName[] = [];
  #current = 0;
  #nextLookMs: number;
  #told = false;

  /** @param onProblem told once that the name can't be looked up */
  constructor(
    { host, port }: Pick<InternetAddress, "host" | "port">,
    onProblem: (message: string) => void,
    lookup: Lookup = Bun.dns.lookup,
  ) {
    this.#host = host;
    this.#port = port;
    this.#onProblem = onProblem;
    this.#lookup = lookup;
    const numeric = numericHosts(host);
    this.#nextLookMs = numeric.length > 0 ? Number.POSITIVE_INFINITY : 0;
    this.#take(numeric);
  }

  /** The address; null as long as nobody knows. It is the same object as before as long as the answer is the same. */
  get(nowMs: number): TcpName | null {
    if (nowMs >= this.#nextLookMs) {
      // Not twice at the same time.
      this.#nextLookMs = Number.POSITIVE_INFINITY;
      void this.#look(nowMs);
    }
    return this.#names[this.#current % this.#names.length] ?? null;
  }

  /** Goes on to the next address: this one didn't answer, and the host may have another. */
  skip(): void {
    this.#current += 1;
  }

  async #look(nowMs: number): Promise<void> {
    try {
      const found = await this.#lookup(this.#host);
      // v4 first, as Gunicorn: receivers that listen on v4 alone are common.
      const sorted = found.toSorted((a, b) => a.family - b.family);
      this.#take(sorted.map(({ address }) => address));
      this.#nextLookMs = nowMs + refreshMs;
    } catch (error) {
      this.#nextLookMs = nowMs + retryMs;
      // An address that was known serves on.
      if (this.#told || this.#names.length > 0) return;
      this.#told = true;
      const { message } = error as Error;
      const seconds = retryMs / 1000;
      this.#onProblem(`Can't look up ${this.#host} (${message}): trying again every ${seconds} s`);
    }
  }

  #take(hosts: readonly string[]): void {
    const names = hosts.map((hostname): TcpName => ({
      type: "tcp",
      family: isIPv4(hostname) ? 4 : 6,
      hostname,
      port: this.#port,
    }));
    if (Bun.deepEquals(names, this.#names)) return;
    this.#names = names;
    this.#current = 0;
  }
}

/** The addresses of a numeric host; empty for a name that must be looked up. */
function numericHosts(host: string): string[] {
  if (host === "localhost") return ["127.0.0.1", "::1"];
  return isIPv4(host) || host.includes(":") ? [host] : [];
}
