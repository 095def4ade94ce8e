/** Formatters of a logging configuration: `%` style and JSON. */
import { escapeJson, jsonPlaces } from "../lines/json-text.ts";
import {
  jsonLine,
  type LineFormat,
  type LoggerName,
  type LogLevel,
  splitStack,
} from "../lines/line-format.ts";
import { compileTime } from "../lines/strftime.ts";
import { allowOnly, readText, refuse, type Values } from "./values.ts";

/** A formatter serves both loggers, and `%(name)s` tells them apart. */
export type Formatter = (logger: LoggerName) => LineFormat;

interface Entry {
  readonly level: LogLevel;
  readonly message: string;
  readonly logger: LoggerName;
  readonly date: Date;
  /** The date in the formatter's own form. */
  readonly asctime: (date: Date) => string;
}

const levelNumbers: Readonly<Record<LogLevel, number>> = {
  critical: 50,
  error: 40,
  warning: 30,
  info: 20,
  debug: 10,
};

/** Python's names of what a line may hold. */
const attributes: Readonly<Record<string, (entry: Entry) => string | number>> = {
  message: ({ message }) => message,
  asctime: ({ asctime, date }) => asctime(date),
  process: () => process.pid,
  levelname: ({ level }) => level.toUpperCase(),
  levelno: ({ level }) => levelNumbers[level],
  name: ({ logger }) => logger,
  created: ({ date }) => date.getTime() / 1000,
  msecs: ({ date }) => date.getMilliseconds(),
};

const usualTime = "%Y-%m-%d %H:%M:%S";
const textClasses = ["logging.Formatter", "Formatter"];
const jsonClasses = [
  "json",
  "pythonjsonlogger.jsonlogger.JsonFormatter",
  "pythonjsonlogger.json.JsonFormatter",
];

/** What a handler without a formatter writes, as in Python: the bare message. */
export const plainFormatter: Formatter = () => (_level, message) => `${message}\n`;

/** @throws ConfigError */
export function readFormatter(values: Values, place: string): Formatter {
  allowOnly(values, ["class", "()", "format", "datefmt", "style"], place);
  const key = "()" in values ? "()" : "class";
  const name = values[key] === undefined ? "Formatter" : readText(values[key], `${place}.${key}`);
  const isJson = jsonClasses.includes(name);
  if (!isJson && !textClasses.includes(name)) {
    refuse(`${place}.${key}`, `${name} isn't supported; use logging.Formatter or json`);
  }
  if (values["style"] !== undefined && values["style"] !== "%") {
    refuse(`${place}.style`, "only % is supported");
  }
  const asctime = readTime(values["datefmt"], place);
  const { format } = values;
  if (isJson && format === undefined) return jsonLine;
  const text = format === undefined ? "%(message)s" : readText(format, `${place}.format`);
  const parts = parseFormat(text, `${place}.format`);
  if (isJson) return jsonFormatter(parts, asctime);
  const places = jsonPlaces(parts.map((part) => (typeof part === "string" ? part : null)));
  if (places === null) return textFormatter(parts, asctime);
  return objectFormatter(parts, places, asctime, `${place}.format`);
}

function readTime(value: unknown, place: string): (date: Date) => string {
  const given = value !== undefined && value !== null && value !== "";
  const compiled = compileTime(given ? readText(value, `${place}.datefmt`) : usualTime);
  if ("unknown" in compiled) {
    return refuse(`${place}.datefmt`, `${compiled.unknown} isn't a code of strftime known here`);
  }
  if (given) return compiled.format;
  return (date) => `${compiled.format(date)},${String(date.getMilliseconds()).padStart(3, "0")}`;
}

interface Field {
  readonly name: string;
  readonly read: (entry: Entry) => string | number;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | null;
  readonly conversion: string;
}

/** Text between fields, and fields. */
type Part = string | Field;

function parseFormat(format: string, place: string): readonly Part[] {
  const parts: Part[] = [];
  const pattern = /%(?:%|\((\w+)\)([-+ 0#]*)(\d*)(?:\.(\d+))?([sdifr]))/y;
  for (let at = 0; at < format.length;) {
    if (format[at] !== "%") {
      const end = format.indexOf("%", at);
      parts.push(format.slice(at, end === -1 ? undefined : end));
      at = end === -1 ? format.length : end;
      continue;
    }
    pattern.lastIndex = at;
    const found = pattern.exec(format);
    if (found === null)
      return refuse(place, `at ${at}: '${format.slice(at, at + 12)}' is no field`);
    const [all, name, flags = "", width = "", precision, conversion = "s"] = found;
    at += all.length;
    if (name === undefined) {
      parts.push("%");
      continue;
    }
    const read = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (read === undefined) {
      const known = Object.keys(attributes).join(", ");
      return refuse(place, `%(${name}) isn't supported; supported are ${known}`);
    }
    const field = { name, read, flags, width: Number(width), conversion };
    parts.push({ ...field, precision: precision === undefined ? null : Number(precision) });
  }
  return parts;
}

function textFormatter(parts: readonly Part[], asctime: (date: Date) => string): Formatter {
  return (logger) => (level, message) => {
    const entry = { level, message, logger, date: new Date(), asctime };
    return `${parts.map((part) => (typeof part === "string" ? part : show(part, entry))).join("")}\n`;
  };
}

/**
 * A format that is a JSON object by itself: so is each line. Within quotes a field is escaped, outside a text gets
 * quotes.
 */
function objectFormatter(
  parts: readonly Part[],
  places: readonly boolean[],
  asctime: (date: Date) => string,
  place: string,
): Formatter {
  let fields = 0;
  const pieces = parts.map((part) => {
    if (typeof part === "string") return () => part;
    const inString = places[fields++] === true;
    if (inString) return (entry: Entry) => escapeJson(show(part, entry));
    if (part.flags.includes("0")) {
      refuse(place, `%(${part.name}) as a JSON number can't begin with zeros`);
    }
    return (entry: Entry) =>
      typeof part.read(entry) === "number" ? show(part, entry) : JSON.stringify(show(part, entry));
  });
  return (logger) => (level, message) => {
    const entry = { level, message, logger, date: new Date(), asctime };
    return `${pieces.map((piece) => piece(entry)).join("")}\n`;
  };
}

/** A line as python-json-logger writes it: the fields that the format names, under these names. */
function jsonFormatter(parts: readonly Part[], asctime: (date: Date) => string): Formatter {
  const fields = parts.filter((part) => typeof part !== "string");
  return (logger) => (level, text) => {
    const { message, stack } = splitStack(text);
    const entry = { level, message, logger, date: new Date(), asctime };
    const values = Object.fromEntries(fields.map(({ name, read }) => [name, read(entry)]));
    return `${JSON.stringify(stack === undefined ? values : { ...values, exc_info: stack })}\n`;
  };
}

/** Shows one field in the way of Python's `%` operator. */
function show({ read, flags, width, precision, conversion }: Field, entry: Entry): string {
  const value = read(entry);
  if (conversion === "s" || conversion === "r" || typeof value !== "number") {
    const text = String(value).slice(0, precision ?? undefined);
    return flags.includes("-") ? text.padEnd(width) : text.padStart(width);
  }
  const digits = conversion === "f" ? value.toFixed(precision ?? 6) : String(Math.trunc(value));
  if (flags.includes("-")) return digits.padEnd(width);
  return digits.padStart(width, flags.includes("0") ? "0" : " ");
}
