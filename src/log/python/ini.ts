/** Python's ini form of a logging configuration, turned into the form of dictConfig. */
import { argumentNames } from "./handlers.ts";
import { allowOnly, readText, refuse, type Values } from "./values.ts";
import { parsePythonLiteral } from "./literal.ts";

type Sections = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** @throws ConfigError */
export function parseLoggingIni(text: string, place: string): Values {
  const sections = readSections(text, place);
  const named = (kind: string) =>
    keysOf(sections, `${kind}s`, place).map((key) => {
      const section = `${kind}_${key}`;
      const at = `${place}: [${section}]`;
      return { key, at, values: sections.get(section) ?? refuse(at, "is missing") };
    });
  const loggers = named("logger");
  const handlers = named("handler");
  const formatters = sections.has("formatters") ? named("formatter") : [];
  refuseOthers(sections, place);
  const root = loggers.find(({ key }) => key === "root");
  const others = loggers.filter(({ key }) => key !== "root");
  return {
    version: 1,
    // There is no default root in an ini file.
    root: root === undefined ? {} : readLogger(root.values, root.at),
    loggers: Object.fromEntries(
      others.map(({ key, at, values }) => [values["qualname"] ?? key, readLogger(values, at, "1")]),
    ),
    handlers: Object.fromEntries(
      handlers.map(({ key, at, values }) => [key, readHandler(values, at)]),
    ),
    formatters: Object.fromEntries(
      formatters.map(({ key, at, values }) => {
        allowOnly(values, ["format", "datefmt", "style", "class"], at);
        return [key, values];
      }),
    ),
  };
}

/** configparser's grammar: sections, `key = value` or `key: value`, indented lines that go on, whole-line comments. */
function readSections(text: string, place: string): Sections {
  const sections = new Map<string, Record<string, string>>();
  let section: Record<string, string> | null = null;
  let key: string | null = null;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    const at = `${place}: line ${index + 1}`;
    const [, name] = /^\[([^\]]+)\]\s*$/.exec(line) ?? [];
    if (name !== undefined) {
      if (sections.has(name)) refuse(at, `section ${name} stands there twice`);
      section = {};
      key = null;
      sections.set(name, section);
      continue;
    }
    if (section === null) return refuse(at, "stands before the first [section]");
    if (/^\s/.test(line) && key !== null) {
      section[key] = `${section[key]}\n${line.trim()}`;
      continue;
    }
    const [, option, value = ""] = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (option === undefined) return refuse(at, `'${line.trim()}' is no option`);
    key = option.toLowerCase();
    if (Object.hasOwn(section, key)) refuse(at, `${key} stands there twice`);
    section[key] = value;
  }
  return sections;
}

function splitNames(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function keysOf(sections: Sections, section: string, place: string): string[] {
  const values = sections.get(section) ?? refuse(`${place}: [${section}]`, "is missing");
  allowOnly(values, ["keys"], `${place}: [${section}]`);
  return splitNames(readText(values["keys"], `${place}: [${section}]: keys`));
}

/** A section that no list names would be ignored. */
function refuseOthers(sections: Sections, place: string): void {
  for (const name of sections.keys()) {
    if (["loggers", "handlers", "formatters"].includes(name)) continue;
    const [, kind, key = ""] = /^(logger|handler|formatter)_(.*)$/s.exec(name) ?? [];
    if (kind === undefined) refuse(`${place}: [${name}]`, "isn't a section of a logging file");
    if (!keysOf(sections, `${kind}s`, place).includes(key)) {
      refuse(`${place}: [${name}]`, `isn't among the keys of [${kind}s]`);
    }
  }
}

/** `propagate` is only written for what isn't the root. */
function readLogger(values: Values, at: string, propagates: string | null = null): Values {
  allowOnly(values, ["level", "handlers", "propagate", "qualname"], at);
  const { level, handlers = "", propagate = propagates } = values;
  if (propagate !== null && propagate !== "0" && propagate !== "1") {
    refuse(`${at}: propagate`, `must be 0 or 1, got '${String(propagate)}'`);
  }
  return {
    ...(level === undefined || level === "" ? {} : { level }),
    handlers: splitNames(String(handlers)),
    ...(propagates === null ? {} : { propagate: propagate === "1" }),
  };
}

function readHandler(values: Values, at: string): Values {
  allowOnly(values, ["class", "level", "formatter", "args", "kwargs"], at);
  const { class: className, level, formatter, args = "()", kwargs = "{}" } = values;
  const positional = parseAt(args, `${at}: args`);
  const keywords = parseAt(kwargs, `${at}: kwargs`);
  if (!Array.isArray(positional)) refuse(`${at}: args`, "must be a tuple");
  if (typeof keywords !== "object" || keywords === null || Array.isArray(keywords)) {
    refuse(`${at}: kwargs`, "must be a dictionary");
  }
  const names = argumentNames(className, at);
  const given = positional as readonly unknown[];
  if (given.length > names.length) {
    refuse(`${at}: args`, `must be at most ${names.length}: ${names.join(", ")}`);
  }
  return {
    class: className,
    ...(level === undefined || level === "" ? {} : { level }),
    ...(formatter === undefined || formatter === "" ? {} : { formatter }),
    ...Object.fromEntries(given.map((value, index) => [names[index] ?? "", value])),
    ...keywords,
  };
}

function parseAt(text: unknown, at: string): unknown {
  try {
    return parsePythonLiteral(String(text));
  } catch (error) {
    return refuse(at, (error as SyntaxError).message);
  }
}
