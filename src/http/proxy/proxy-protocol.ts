/**
 * The PROXY header that a load balancer may send before the first request of a connection. Invariants: no byte is
 * looked at twice, whatever the split; which byte is refused, and why, doesn't depend on the split; what is kept is
 * bounded.
 */
import type { ProxyMode } from "../../net/proxy-mode.ts";
import { CR, LF, latin1 } from "../bytes.ts";
import type { ProxyErrorName } from "../errors.ts";
import { type ProxyAddress, type ProxyRoute, decodeLine, decodeRoute } from "./proxy-addresses.ts";

const noBytes = Buffer.alloc(0);
const lineSignature = Buffer.from("PROXY ", "latin1");
const headerSignature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** PROXY protocol 2.1: a line has at most 107 bytes; here without its signature and its CRLF. */
const maxLineBytes = 107 - lineSignature.length - 2;
/** PROXY protocol 2.2: version and command, family and transport, and the length of what follows. */
const fixedBytes = 4;
/** What may follow these: addresses and TLVs. The field could say 65535, and no known proxy comes near this. */
const maxBlockBytes = 4096;
const localCommand = 0x20;
const proxyCommand = 0x21;
/**
 * PROXY protocol 2.2: the families and transports that can carry HTTP, with the bytes of their addresses. UNSPEC may
 * have a block too, of anything; what UNIX has are two paths.
 */
const families: Readonly<Record<number, { readonly bytes: number; readonly named: boolean }>> = {
  0x00: { bytes: 0, named: false },
  0x01: { bytes: 0, named: false },
  0x11: { bytes: 12, named: true },
  0x21: { bytes: 36, named: true },
  0x31: { bytes: 216, named: false },
};
/** The fixed part and the addresses of TCP over IPv6: all of a header that is ever kept. */
const keptBytes = fixedBytes + 36;

const inSignature = 0;
const inLine = 1;
const beforeLf = 2;
const inFixed = 3;
const inRoute = 4;
const inRest = 5;

export class ProxyReader {
  /** After any step: where in the fed bytes it ended. After "plain": where it started. */
  consumed = 0;
  /** After "plain": what earlier calls took, to be parsed before the rest. */
  kept: Buffer = noBytes;
  /** After "done": the client. Null: the header names none, and the socket's own peer is it. */
  source: ProxyAddress | null = null;
  /** After "done": what the client connected to; null when source is. */
  destination: ProxyAddress | null = null;
  readonly #mode: ProxyMode;
  readonly #allowed: boolean;
  #stage = inSignature;
  #signature: Buffer = noBytes;
  #matched = 0;
  /** The line, or the header's fixed part and its addresses. */
  #block: Buffer = noBytes;
  #length = 0;
  /** How many bytes of a header's stage haven't come, and how many come behind it. */
  #left = 0;
  #behind = 0;
  #failed: ProxyErrorName | null = null;

  /** `allowed`: the peer is in proxy_allow_ips. */
  constructor(mode: ProxyMode, allowed: boolean) {
    this.#mode = mode;
    this.#allowed = allowed;
  }

  /**
   * Takes bytes[start..end). "need more": all are consumed. "done": the header ends at `consumed`. "plain": there is no
   * header, and HTTP starts with `kept`, then with bytes[start]. After these two there is nothing more to feed.
   * Otherwise the name of what is wrong; every later call returns it again.
   */
  feed(bytes: Buffer, start: number, end: number): "need more" | "plain" | "done" | ProxyErrorName {
    if (this.#failed !== null) return this.#failed;
    let at = start;
    if (this.#stage === inSignature) {
      const before = this.#matched;
      const step = this.#matchSignature(bytes, start, end);
      if (step === "plain") {
        // A copy: the parser may write into its bytes.
        this.kept = Buffer.from(this.#signature.subarray(0, before));
        this.consumed = start;
        return step;
      }
      at = start + this.#matched - before;
      if (step === "need more") return this.#stop(step, at);
      if (step !== "matched") return this.#stop(step, at - 1);
    }
    return this.#stage <= beforeLf
      ? this.#feedLine(bytes, at, end)
      : this.#feedHeader(bytes, at, end);
  }

  /** Decides at the first byte that can't be a header's. Gunicorn keeps a request waiting for twelve bytes. */
  #matchSignature(
    bytes: Buffer,
    start: number,
    end: number,
  ): "need more" | "plain" | "matched" | ProxyErrorName {
    if (this.#mode === "off") return "plain";
    let at = start;
    if (this.#matched === 0 && at < end)
      this.#signature = bytes[at] === headerSignature[0] ? headerSignature : lineSignature;
    const signature = this.#signature;
    for (; at < end && this.#matched < signature.length; at++) {
      if (bytes[at] !== signature[this.#matched]) return "plain";
      this.#matched++;
    }
    if (at === start || this.#matched < signature.length) return "need more";
    // Before anything it says is read.
    if (!this.#allowed) return "forbidden proxy";
    const isLine = signature === lineSignature;
    if (this.#mode === (isLine ? "v2" : "v1")) return "unexpected proxy version";
    this.#stage = isLine ? inLine : inFixed;
    this.#block = Buffer.alloc(isLine ? maxLineBytes : keptBytes);
    this.#left = fixedBytes;
    return "matched";
  }

  #feedLine(bytes: Buffer, start: number, end: number): "need more" | "done" | ProxyErrorName {
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (this.#stage === beforeLf) {
        if (byte !== LF) return this.#stop("bad proxy line", at);
        const route = decodeLine(latin1(this.#block, 0, this.#length));
        return route === "bad proxy line" ? this.#stop(route, at) : this.#finish(route, at + 1);
      }
      // PROXY protocol 2.1: CRLF ends the line, and neither byte alone.
      if (byte === LF) return this.#stop("bad proxy line", at);
      if (byte === CR) this.#stage = beforeLf;
      else if (this.#length === maxLineBytes) return this.#stop("proxy header too long", at);
      else this.#block[this.#length++] = byte;
    }
    this.consumed = end;
    return "need more";
  }

  #feedHeader(bytes: Buffer, start: number, end: number): "need more" | "done" | ProxyErrorName {
    let at = start;
    for (;;) {
      const stop = Math.min(end, at + this.#left);
      // TLVs, and addresses that name no client, are skipped.
      if (this.#stage !== inRest) this.#length += bytes.copy(this.#block, this.#length, at, stop);
      this.#left -= stop - at;
      at = stop;
      if (this.#left > 0) break;
      if (this.#stage === inRest) return this.#finish(this.#route(), at);
      const error = this.#stage === inFixed ? this.#judgeFixed() : this.#skipRest();
      if (error !== null) return this.#stop(error, at - 1);
    }
    this.consumed = at;
    return "need more";
  }

  #judgeFixed(): ProxyErrorName | null {
    const command = this.#block[0]!;
    this.#behind = this.#block.readUInt16BE(2);
    if (command !== localCommand && command !== proxyCommand) return "bad proxy header";
    if (this.#behind > maxBlockBytes) return "proxy header too long";
    // PROXY protocol 2.2: LOCAL is the proxy's own connection; what the block says MUST be ignored, its family
    // included.
    if (command === localCommand) return this.#skipRest();
    const family = families[this.#block[1]!];
    // PROXY protocol 2.2: reserved values MUST be refused; datagrams carry no HTTP.
    if (family === undefined || this.#behind < family.bytes) return "bad proxy header";
    if (!family.named) return this.#skipRest();
    this.#stage = inRoute;
    this.#left = family.bytes;
    this.#behind -= family.bytes;
    return null;
  }

  #skipRest(): null {
    this.#stage = inRest;
    this.#left = this.#behind;
    return null;
  }

  #route(): ProxyRoute | null {
    if (this.#length === fixedBytes) return null;
    return decodeRoute(this.#block.subarray(fixedBytes, this.#length));
  }

  #finish(route: ProxyRoute | null, at: number): "done" {
    if (route !== null) {
      this.source = route.source;
      this.destination = route.destination;
    }
    this.#block = noBytes;
    this.consumed = at;
    return "done";
  }

  #stop(step: "need more" | ProxyErrorName, at: number): "need more" | ProxyErrorName {
    this.consumed = at;
    if (step !== "need more") {
      this.#failed = step;
      this.#block = noBytes;
    }
    return step;
  }
}
