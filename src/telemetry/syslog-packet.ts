/** The bytes of one message for syslog, in Gunicorn's form or that of RFC 5424. */
import type { LogLevel } from "../log/error-log.ts";

/** Who speaks. */
export interface SyslogSource {
  readonly form: "gunicorn" | "rfc5424";
  readonly facility: number;
  /** The name, such as `gunicorn.app.fetch`. */
  readonly name: string;
  /** Nothing but the priority stands before a message of Gunicorn's form. */
  readonly bare?: boolean;
  readonly logger: "error" | "access";
  readonly hostname: string;
  readonly pid: number;
}

/** RFC 5424 §6.2.1. */
const severities: Readonly<Record<LogLevel, number>> = {
  critical: 2,
  error: 3,
  warning: 4,
  info: 6,
  debug: 7,
};

/** A message with its head, and nothing yet that marks its end. */
export function formatPacket(
  source: SyslogSource,
  level: LogLevel,
  message: string,
  now: Date,
): string {
  const { form, facility, name, logger, hostname, pid } = source;
  const priority = facility * 8 + severities[level];
  if (form === "gunicorn" && source.bare) return `<${priority}>${message}`;
  if (form === "gunicorn") return `<${priority}>${name}.${logger}: [${pid}] ${message}`;
  // RFC 5424 §6: VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG.
  const words = [now.toISOString(), word(hostname, 255), word(name, 48), pid, logger, "-"];
  return `<${priority}>1 ${words.join(" ")} ${message}`;
}

/** A packet as it goes over a socket. */
export function framePacket(
  packet: string,
  form: SyslogSource["form"],
  isStream: boolean,
): Uint8Array {
  if (!isStream) return Buffer.from(form === "gunicorn" ? `${packet}\0` : packet);
  // RFC 6587 §3.4.1, octet counting: any byte may be part of the message.
  if (form === "rfc5424") return Buffer.from(`${Buffer.byteLength(packet)} ${packet}`);
  // RFC 6587 §3.4.2, a line feed as the end: those inside are written as rsyslogd writes control characters. Gunicorn's
  // NUL isn't taken for an end there, so that messages run together.
  return Buffer.from(`${packet.replaceAll("\n", "#012")}\n`);
}

/** The beginning of a packet, so that it has at most so many bytes; dots tell that something is missing. */
export function cutPacket(packet: string, maxBytes: number): string {
  const bytes = Buffer.from(packet);
  if (bytes.byteLength <= maxBytes) return packet;
  let end = Math.max(0, maxBytes - 3);
  // Not between the bytes of a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}...`;
}

/** RFC 5424 §6: a field of the head has only printable ASCII, and `-` stands for nothing. */
function word(text: string, maxLength: number): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "_").slice(0, maxLength) || "-";
}
