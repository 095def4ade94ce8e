/** Handlers of a logging configuration: Python's classes and their arguments, as far as they are known here. */
import { resolve } from "node:path";
import { joinHostPort } from "../../net/ip-address.ts";
import {
  parseSyslogAddress,
  syslogFacilities,
  type SyslogFacility,
} from "../../net/telemetry-address.ts";
import type { LogLevel } from "../lines/line-format.ts";
import { toFile } from "../sinks/inherited-stream.ts";
import type { Destination } from "../plan.ts";
import { type Formatter, plainFormatter } from "./formatters.ts";
import {
  allowOnly,
  got,
  readBoolean,
  readCount,
  readLevel,
  readText,
  refuse,
  type Values,
} from "./values.ts";

export interface HandlerReading {
  readonly place: string;
  /** Null: NullHandler, which drops everything. */
  readonly to: Destination | null;
  readonly threshold: LogLevel;
  readonly formatter: Formatter;
}

type ReadDestination = (values: Values, place: string, chdir: string) => Destination | null;

interface HandlerClass {
  readonly read: ReadDestination;
  /** Argument names, in the order of Python's constructor. */
  readonly args: readonly string[];
}

const fileArgs = ["filename", "mode", "encoding", "delay"];
const rotatingArgs = ["filename", "mode", "maxBytes", "backupCount", "encoding", "delay"];

const classes: Readonly<Record<string, HandlerClass>> = {
  "logging.StreamHandler": { read: readStream, args: ["stream"] },
  "logging.FileHandler": { read: readFile, args: fileArgs },
  "logging.handlers.WatchedFileHandler": { read: readWatched, args: fileArgs },
  "logging.handlers.RotatingFileHandler": { read: readRotating, args: rotatingArgs },
  "logging.handlers.SysLogHandler": { read: readSyslog, args: ["address", "facility", "socktype"] },
  "logging.NullHandler": { read: () => null, args: [] },
};

const general = ["class", "level", "formatter"];

/** @throws ConfigError */
export function readHandler(
  values: Values,
  place: string,
  formatters: ReadonlyMap<string, Formatter>,
  chdir: string,
): HandlerReading {
  const { read, args } = handlerClass(values["class"], place);
  allowOnly(values, [...general, ...args], place);
  const level = values["level"];
  return {
    place,
    to: read(values, place, chdir),
    threshold: level === undefined ? "debug" : readLevel(level, `${place}.level`),
    formatter: readFormatterName(values["formatter"], `${place}.formatter`, formatters),
  };
}

/** The names of a class's arguments, in Python's order; for the ini file. */
export function argumentNames(className: unknown, place: string): readonly string[] {
  return handlerClass(className, place).args;
}

/** The class of a name: the full one, or the one without the modules in front. */
function handlerClass(value: unknown, place: string): HandlerClass {
  const name = readText(value, `${place}.class`);
  const full = Object.keys(classes).find(
    (each) => each === name || each === `logging.${name}` || each.endsWith(`.${name}`),
  );
  const found = full === undefined ? undefined : classes[full];
  const known = Object.keys(classes).join(", ");
  return found ?? refuse(place, `class ${name} isn't supported; use one of ${known}`);
}

function readFormatterName(
  value: unknown,
  place: string,
  formatters: ReadonlyMap<string, Formatter>,
): Formatter {
  if (value === undefined || value === null || value === "") return plainFormatter;
  const name = readText(value, place);
  return formatters.get(name) ?? refuse(place, `no formatter is named '${name}'`);
}

function readStream(values: Values, place: string): Destination {
  const { stream = "ext://sys.stderr" } = values;
  if (stream === "ext://sys.stdout") return { type: "stream", fd: 1 };
  if (stream === "ext://sys.stderr" || stream === null) return { type: "stream", fd: 2 };
  return refuse(
    `${place}.stream`,
    `must be ext://sys.stdout or ext://sys.stderr, got ${got(stream)}`,
  );
}

function readFile(values: Values, place: string, chdir: string): Destination {
  return toFile(readPath(values, place, chdir), `${place}.filename`);
}

function readWatched(values: Values, place: string, chdir: string): Destination {
  return rotating(readPath(values, place, chdir), place, 0, 0);
}

function readRotating(values: Values, place: string, chdir: string): Destination {
  const maxBytes = readCount(values["maxBytes"] ?? 0, `${place}.maxBytes`);
  const backupCount = readCount(values["backupCount"] ?? 0, `${place}.backupCount`);
  return rotating(readPath(values, place, chdir), place, maxBytes, backupCount);
}

function rotating(path: string, place: string, maxBytes: number, backupCount: number): Destination {
  const to = toFile(path, `${place}.filename`);
  if (to.type !== "stream") return { type: "rotating", path, maxBytes, backupCount };
  // Python renames /dev/stdout itself.
  if (maxBytes > 0 && backupCount > 0) {
    refuse(`${place}.filename`, `'${path}' is a standard stream, which can't be renamed`);
  }
  return to;
}

function readPath(values: Values, place: string, chdir: string): string {
  const filename = readText(values["filename"], `${place}.filename`);
  if (filename === "") refuse(`${place}.filename`, "must not be empty");
  const path = resolve(chdir, filename);
  const { mode = "a", encoding, delay = false } = values;
  if (mode !== "a") refuse(`${place}.mode`, `must be 'a', got ${got(mode)}`);
  if (encoding !== undefined && encoding !== null && !/^utf-?8$/i.test(String(encoding))) {
    refuse(`${place}.encoding`, `must be utf-8, got ${got(encoding)}`);
  }
  if (readBoolean(delay, `${place}.delay`)) refuse(`${place}.delay`, "isn't supported");
  return path;
}

function readSyslog(values: Values, place: string): Destination {
  const syslogAddr = readAddress(values, place);
  const { facility = "user" } = values;
  const name = String(facility).toLowerCase();
  if (!Object.hasOwn(syslogFacilities, name)) {
    const known = Object.keys(syslogFacilities).join(", ");
    refuse(`${place}.facility`, `must be one of ${known}, got ${got(facility)}`);
  }
  return { type: "syslog", target: { syslogAddr, syslogFacility: name as SyslogFacility } };
}

const streamSockets = ["ext://socket.SOCK_STREAM", 1];
const datagramSockets = ["ext://socket.SOCK_DGRAM", 2, undefined, null];

/** Python's ("host", port) or path, or a URL as --log-syslog-to takes it. */
function readAddress({ address = ["localhost", 514], socktype }: Values, place: string): string {
  const isStream = streamSockets.includes(socktype as string);
  if (!isStream && !datagramSockets.includes(socktype as undefined)) {
    refuse(
      `${place}.socktype`,
      `must be ext://socket.SOCK_STREAM or ext://socket.SOCK_DGRAM, got ${got(socktype)}`,
    );
  }
  const text = addressText(address, isStream, socktype !== undefined && socktype !== null);
  if (text === null) {
    return refuse(`${place}.address`, `must be [HOST, PORT] or a path, got ${got(address)}`);
  }
  try {
    parseSyslogAddress(text);
  } catch (error) {
    return refuse(`${place}.address`, (error as Error).message);
  }
  return text;
}

function addressText(address: unknown, isStream: boolean, typeGiven: boolean): string | null {
  if (Array.isArray(address) && address.length === 2) {
    const [host, port] = address as readonly unknown[];
    if (typeof host !== "string" || typeof port !== "number") return null;
    return `${isStream ? "tcp" : "udp"}://${joinHostPort(host, port)}`;
  }
  if (typeof address !== "string") return null;
  if (/^[a-z]+:\/\//.test(address)) return address;
  return `unix://${address}${typeGiven ? (isStream ? "#stream" : "#dgram") : ""}`;
}
