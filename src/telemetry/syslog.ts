/** The destination of a logger that is called syslog. */
import { hostname } from "node:os";
import type { ConfigData } from "../config/types.ts";
import {
  parseSyslogAddress,
  type SyslogAddress,
  syslogFacilities,
} from "../net/telemetry-address.ts";
import type { LogLevel } from "../log/error-log.ts";
import type { LogHandler } from "../log/sinks/log-handler.ts";
import { type Channel, DatagramChannel, StreamChannel, type Target, targetOf } from "./channel.ts";
import { cutPacket, formatPacket, framePacket, type SyslogSource } from "./syslog-packet.ts";

/** How much waits for a receiver; messages beyond that are lost, and counted. */
const keptBytes = 1024 * 1024;
/** What is too long for a datagram is cut to this; UDP over IPv4 has room for 65,507 bytes. */
const datagramBytes = 65_000;
/** A datagram that not even this fits into has something else to complain of. */
const leastDatagramBytes = 256;
const firstRetryMs = 10;
const lastRetryMs = 1000;

export type SyslogSettings = Pick<
  ConfigData,
  "syslogAddr" | "syslogFacility" | "syslogPrefix" | "procName" | "defaultProcName"
> & {
  /** A logging configuration has its own form of a message: nothing is put before it but what the protocol wants. */
  readonly bare?: boolean;
};

/**
 * Opens at once; what the other side needs to answer is waited for in the background.
 * @param onProblem told once that the host's name can't be looked up
 * @throws ConfigError for what isn't an address
 */
export function openSyslog(
  settings: SyslogSettings,
  logger: "error" | "access",
  onProblem: (message: string) => void = () => {},
): LogHandler {
  const address = parseSyslogAddress(settings.syslogAddr);
  const { syslogPrefix, procName, defaultProcName } = settings;
  // Receivers take the tag to end at a colon, and at a blank.
  const name = syslogPrefix || (procName ?? defaultProcName).replaceAll(/[:\s]/g, ".");
  const source: SyslogSource = {
    form: address.form,
    facility: syslogFacilities[settings.syslogFacility],
    name: `gunicorn.${name}`,
    bare: settings.bare ?? false,
    logger,
    hostname: hostname(),
    pid: process.pid,
  };
  return new Syslog(address, source, onProblem);
}

/** Messages leave in their order: while one waits, the others wait behind it, up to a bound. */
class Syslog implements LogHandler {
  readonly #source: SyslogSource;
  readonly #target: Target;
  /** Whether the path may turn out to be of the other kind. */
  readonly #anyKind: boolean;
  #channel: Channel;
  #queue: string[] = [];
  #queuedBytes = 0;
  #lost = 0;
  #timer: Timer | null = null;
  #retryMs = firstRetryMs;

  constructor(address: SyslogAddress, source: SyslogSource, onProblem: (message: string) => void) {
    this.#source = source;
    this.#target = targetOf(address, onProblem);
    this.#anyKind = address.type === "unix" && address.socket === "any";
    const isStream = address.type === "unix" ? address.socket === "stream" : address.type === "tcp";
    this.#channel = openChannel(this.#target, isStream);
  }

  emit(level: LogLevel, message: string): void {
    const packet = formatPacket(this.#source, level, message, new Date());
    if (this.#queue.length > 0 || !this.#send(packet)) this.#keep(packet);
    if (this.#timer === null && this.#stillWaits()) this.#retryLater();
  }

  flush(): void {
    this.#drain();
  }

  /** There is no file. */
  reopen(): void {}

  close(): void {
    this.#drain();
    this.#channel.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #stillWaits(): boolean {
    return this.#queue.length > 0 || this.#lost > 0 || !this.#channel.flush();
  }

  /** Answers false if the packet has to wait. */
  #send(packet: string): boolean {
    const { form } = this.#source;
    let sent = this.#channel.send(framePacket(packet, form, this.#channel.isStream));
    if (sent === "other kind" && this.#anyKind) {
      const wasStream = this.#channel.isStream;
      this.#channel.close();
      this.#channel = openChannel(this.#target, !wasStream);
      sent = this.#channel.send(framePacket(packet, form, !wasStream));
    }
    if (sent !== "too long") return sent === "sent";
    for (let limit = datagramBytes; limit >= leastDatagramBytes; limit = limit >> 1) {
      sent = this.#channel.send(framePacket(cutPacket(packet, limit), form, false));
      if (sent !== "too long") return sent === "sent";
    }
    // No end of waiting would make it shorter.
    this.#lost += 1;
    return true;
  }

  #keep(packet: string): void {
    const bytes = Buffer.byteLength(packet);
    if (this.#queuedBytes + bytes > keptBytes) {
      this.#lost += 1;
      return;
    }
    this.#queue.push(packet);
    this.#queuedBytes += bytes;
  }

  #drain(): void {
    let sent = 0;
    for (const packet of this.#queue) {
      if (!this.#send(packet)) break;
      sent += 1;
    }
    const gone = this.#queue.splice(0, sent);
    this.#queuedBytes -= gone.reduce((sum, packet) => sum + Buffer.byteLength(packet), 0);
    if (this.#queue.length > 0 || this.#lost === 0) return;
    const notice = `${this.#lost} messages of this log are lost: syslog didn't take them`;
    if (this.#send(formatPacket(this.#source, "warning", notice, new Date()))) this.#lost = 0;
  }

  #retryLater(): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const before = this.#queue.length;
      this.#drain();
      // While nobody takes anything, it is tried less and less often.
      this.#retryMs =
        this.#queue.length < before ? firstRetryMs : Math.min(lastRetryMs, this.#retryMs * 2);
      if (this.#stillWaits()) this.#retryLater();
      else this.#retryMs = firstRetryMs;
    }, this.#retryMs);
    this.#timer.unref();
  }
}

function openChannel(target: Target, isStream: boolean): Channel {
  return isStream ? new StreamChannel(target) : new DatagramChannel(target);
}
