import { describe, expect, test } from "bun:test";
import { resolveConfig } from "../../../../src/config/sources/resolve.ts";
import type { Config } from "../../../../src/config/types.ts";
import { builtInPlan } from "../../../../src/log/plan-logs.ts";
import type { Destination, LoggerPlan } from "../../../../src/log/plan.ts";
import { applyLogconfig } from "../../../../src/log/python/logconfig.ts";
import { parseLoggingIni } from "../../../../src/log/python/ini.ts";
import { loggingConf } from "../../../support/logging-conf.ts";

async function configOf(...argv: readonly string[]): Promise<Config> {
  const cwd = "/tmp";
  const inputs = {
    argv,
    env: {},
    cwd,
    generation: 1,
    platform: "linux",
    cpuCount: () => 1,
  } as const;
  return (await resolveConfig(inputs)).config;
}

const config = await configOf("--access-logfile", "access");

function plan(values: Readonly<Record<string, unknown>>, of = config) {
  return applyLogconfig({ place: "logconfig_dict", values }, builtInPlan(of), of);
}

/** `file /tmp/a`, `stream 1`, and so on. */
function named(to: Destination): string {
  switch (to.type) {
    case "stream":
      return `stream ${to.fd}`;
    case "file":
      return `file ${to.path}`;
    case "rotating":
      return `rotating ${to.path} ${to.maxBytes} ${to.backupCount}`;
    case "syslog":
      return `syslog ${to.target?.syslogAddr} ${to.target?.syslogFacility}`;
    default:
      return to satisfies never;
  }
}

const destinations = (logger: LoggerPlan | null) => logger?.handlers.map(({ to }) => named(to));

const handlers = {
  out: { class: "logging.StreamHandler", stream: "ext://sys.stdout" },
  file: { class: "logging.FileHandler", filename: "a.log" },
  none: { class: "NullHandler" },
};

const routes: [claim: string, values: object, error: string[], access: string[]][] = [
  ["without loggers there are Gunicorn's", { version: 1 }, ["stream 2"], ["stream 1"]],
  [
    "and they write to handlers of these names",
    { handlers: { console: handlers.file, error_console: handlers.out } },
    ["stream 1"],
    ["file /tmp/a.log"],
  ],
  ["no loggers at all leave all as it is", { loggers: {} }, ["stream 2"], ["file /tmp/access"]],
  [
    "a handler that stands twice in a list is there once",
    { handlers, loggers: { error: { handlers: ["out", "file", "out"] } } },
    ["stream 1", "file /tmp/a.log"],
    ["file /tmp/access"],
  ],
  [
    "without a root, Gunicorn's is what a logger propagates to",
    { loggers: { access: { propagate: true, handlers: [] } } },
    ["stream 2"],
    ["stream 1"],
  ],
  [
    "a logger with handlers has those alone",
    { handlers, loggers: { "gunicorn.error": { handlers: ["out", "file"] } } },
    ["stream 1", "file /tmp/a.log"],
    ["file /tmp/access"],
  ],
  [
    "short names do",
    { handlers, loggers: { access: { handlers: ["out"] }, error: { handlers: ["file"] } } },
    ["file /tmp/a.log"],
    ["stream 1"],
  ],
  [
    "propagate adds the root's",
    { handlers, root: { handlers: ["file"] }, loggers: { access: { propagate: true } } },
    ["stream 2"],
    ["file /tmp/access", "file /tmp/a.log"],
  ],
  [
    "a null handler drops",
    { handlers, loggers: { access: { handlers: ["none"] } } },
    ["stream 2"],
    [],
  ],
  [
    "Gunicorn's own handlers are there",
    { loggers: { access: { handlers: ["console", "error_console"] } } },
    ["stream 2"],
    ["stream 1", "stream 2"],
  ],
  [
    "disable_existing_loggers silences what isn't named",
    { disable_existing_loggers: true, handlers, loggers: { error: { handlers: ["out"] } } },
    ["stream 1"],
    [],
  ],
];

test.each(routes)("%s", (_claim, values, error, access) => {
  const { error: errorPlan, access: accessPlan } = plan(values as Record<string, unknown>);
  expect(destinations(errorPlan)).toEqual(error);
  expect(destinations(accessPlan)).toEqual(access);
});

const classes: [values: object, expected: string | undefined][] = [
  [{ class: "StreamHandler" }, "stream 2"],
  [
    { class: "logging.handlers.RotatingFileHandler", filename: "/r", maxBytes: 10, backupCount: 3 },
    "rotating /r 10 3",
  ],
  [{ class: "handlers.RotatingFileHandler", filename: "/r" }, "rotating /r 0 0"],
  [{ class: "logging.handlers.WatchedFileHandler", filename: "w" }, "rotating /tmp/w 0 0"],
  [{ class: "SysLogHandler" }, "syslog udp://localhost:514 user"],
  [
    { class: "SysLogHandler", address: "/dev/log", facility: "local3" },
    "syslog unix:///dev/log local3",
  ],
  [
    { class: "SysLogHandler", address: ["::1", 601], socktype: "ext://socket.SOCK_STREAM" },
    "syslog tcp://[::1]:601 user",
  ],
];

test.each(classes)("the handler %j goes to %s", (handler, expected) => {
  const { error } = plan({ handlers: { it: handler }, loggers: { error: { handlers: ["it"] } } });
  expect(destinations(error)).toEqual([expected as string]);
});

const levels: [level: unknown, expected: string][] = [
  ["DEBUG", "debug"],
  ["warn", "warning"],
  [40, "error"],
  ["FATAL", "critical"],
  ["NOTSET", "debug"],
];

test.each(levels)("the level %p is %s, for loggers and handlers", (level, expected) => {
  const it = { class: "StreamHandler", level };
  const { error } = plan({ handlers: { it }, loggers: { error: { level, handlers: ["it"] } } });
  expect(error.threshold).toBe(expected as typeof error.threshold);
  expect(error.handlers[0]?.threshold).toBe(expected as typeof error.threshold);
});

describe("formatters", () => {
  const line = (formatter: object, message: string) => {
    const it = { class: "StreamHandler", formatter: "f" };
    const { error } = plan({
      formatters: { f: formatter },
      handlers: { it },
      loggers: { error: { handlers: ["it"] } },
    });
    return error.handlers[0]?.format("warning", message);
  };
  const { pid } = process;
  const rows: [formatter: object, expected: string | RegExp][] = [
    [{}, "hello\n"],
    [{ format: "%(message)s" }, "hello\n"],
    [
      { format: "%(levelname)-8s|%(name)s|%(process)d|%(levelno)03d|100%%" },
      `WARNING |gunicorn.error|${pid}|030|100%\n`,
    ],
    [{ format: "%(levelname).4s %(message)7s" }, "WARN   hello\n"],
    [
      { format: "%(asctime)s", class: "logging.Formatter" },
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\n$/,
    ],
    [
      { format: "%(asctime)s", datefmt: "[%d/%b/%Y:%H:%M:%S %z]" },
      /^\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]\n$/,
    ],
    [{ format: "%(msecs)03d %(created)f" }, /^\d{3} \d+\.\d{6}\n$/],
    [
      { class: "json" },
      /^\{"time":"[^"]+Z","level":"warning","pid":\d+,"logger":"gunicorn.error","message":"hello"\}\n$/,
    ],
    [
      { "()": "pythonjsonlogger.jsonlogger.JsonFormatter", format: "%(levelname)s %(message)s" },
      `{"levelname":"WARNING","message":"hello"}\n`,
    ],
  ];
  test.each(rows)("%j", (formatter, expected) => {
    const got = line(formatter, "hello") ?? "";
    if (typeof expected === "string") expect(got).toBe(expected);
    else expect(got).toMatch(expected);
  });

  test("JSON splits off the stack", () => {
    const text = line({ class: "json" }, "Bad\nError: x\n    at f (a.ts:1:1)") ?? "";
    expect(JSON.parse(text)).toMatchObject({
      message: "Bad",
      stack: "Error: x\n    at f (a.ts:1:1)",
    });
  });
});

test("Gunicorn's loggers write in the form that is called generic", () => {
  const { access } = plan({ formatters: { generic: { format: "<%(message)s>" } } });
  expect(access?.handlers.map(({ format }) => format("info", "x"))).toEqual(["<x>\n"]);
});

const h = (handler: object) => ({ handlers: { it: handler }, loggers: {} });
const f = (formatter: object) => ({ formatters: { it: formatter }, loggers: {} });

const refused: [values: object, message: string][] = [
  [{ version: 2 }, "version: must be 1"],
  [{ incremental: true }, "incremental: isn't supported"],
  [{ filters: {} }, "filters: isn't supported; supported are version"],
  [{ loggers: { django: {} } }, "loggers.django: there is no such logger"],
  [{ loggers: { toString: {} } }, "loggers.toString: there is no such logger"],
  [{ loggers: { error: {}, "gunicorn.error": {} } }, "stands there twice"],
  [{ loggers: { error: { handlers: ["x"] } } }, "loggers.error.handlers: no handler is named 'x'"],
  [{ loggers: { error: { level: "LOUD" } } }, "loggers.error.level: must be DEBUG"],
  [{ loggers: { error: { filters: [] } } }, "loggers.error: filters: isn't supported"],
  [{ handlers }, "loggers.gunicorn.error.handlers: no handler is named 'error_console'"],
  [{ formatters: { short: {} } }, "handlers.console.formatter: no formatter is named 'generic'"],
  [
    { handlers, loggers: { error: { propagate: true } } },
    "root.handlers: no handler is named 'console'",
  ],
  [h({ class: "FileHandler", filename: "" }), "handlers.it.filename: must not be empty"],
  [{ root: { handlers: ["x"] } }, "root.handlers: no handler is named 'x'"],
  [h({}), "handlers.it.class: must be text"],
  [
    h({ class: "logging.handlers.SMTPHandler" }),
    "handlers.it: class logging.handlers.SMTPHandler isn't supported; use one of",
  ],
  [h({ class: "FileHandler" }), "handlers.it.filename: must be text"],
  [h({ class: "FileHandler", filename: "a", mode: "w" }), "handlers.it.mode: must be 'a', got 'w'"],
  [
    h({ class: "FileHandler", filename: "a", maxBytes: 3 }),
    "handlers.it: maxBytes: isn't supported",
  ],
  [
    h({ class: "RotatingFileHandler", filename: "a", maxBytes: -3 }),
    "handlers.it.maxBytes: must be a whole number",
  ],
  [
    h({ class: "StreamHandler", stream: "ext://sys.stdin" }),
    "handlers.it.stream: must be ext://sys.stdout",
  ],
  [
    h({ class: "StreamHandler", formatter: "x" }),
    "handlers.it.formatter: no formatter is named 'x'",
  ],
  [h({ class: "SysLogHandler", facility: "moon" }), "handlers.it.facility: must be one of"],
  [
    h({ class: "SysLogHandler", address: 5 }),
    "handlers.it.address: must be [HOST, PORT] or a path",
  ],
  [f({ class: "my.Formatter" }), "formatters.it.class: my.Formatter isn't supported"],
  [f({ style: "{" }), "formatters.it.style: only % is supported"],
  [f({ format: "%(lineno)d" }), "formatters.it.format: %(lineno) isn't supported"],
  [f({ format: "50% more" }), "formatters.it.format: at 2: '% more' is no field"],
  [f({ datefmt: "%Q" }), "formatters.it.datefmt: %Q isn't a code"],
];

test.each(refused)("%j is refused: %s", (values, message) => {
  expect(() => plan(values as Record<string, unknown>)).toThrow(message);
  expect(() => plan(values as Record<string, unknown>)).toThrow("logconfig_dict: ");
});

test("a logging.conf of Gunicorn's is read", () => {
  const { error, access } = plan(parseLoggingIni(loggingConf, "logging.conf"));
  expect(destinations(error)).toEqual(["file /tmp/gunicorn.error.log", "stream 1"]);
  expect(destinations(access)).toEqual([
    "rotating /tmp/gunicorn.access.log 1000 2",
    "syslog udp://localhost:1514 local0",
  ]);
  expect(error.handlers[0]?.format("info", "hello")).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\d+\] \[INFO\] hello\n$/,
  );
  expect(access?.handlers[0]?.format("info", "hello")).toBe("hello\n");
});

const brokenFiles: [claim: string, from: string, to: string, message: string][] = [
  [
    "a section that is missing",
    "[handler_console]",
    "[handler_other]",
    "[handler_console]: is missing",
  ],
  ["a list that is missing", "[handlers]", "[handlerz]", "[handlers]: is missing"],
  [
    "a section that nobody names",
    "keys=generic, access",
    "keys=generic",
    "[formatter_access]: isn't among the keys",
  ],
  [
    "arguments that can't be read",
    "args=(sys.stdout, )",
    "args=(open('x'),)",
    "[handler_console]: args: at 1: can't be read",
  ],
  ["too many arguments", "args=(sys.stdout, )", "args=(1, 2)", "args: must be at most 1: stream"],
  [
    "an unknown option",
    "propagate=0",
    "channel=0",
    "[logger_gunicorn.access]: channel: isn't supported",
  ],
  ["a wrong propagate", "propagate=0", "propagate=no", "propagate: must be 0 or 1, got 'no'"],
  [
    "an option that is repeated",
    "propagate=0",
    "Level=DEBUG",
    "logging.conf: line 24: level stands there twice",
  ],
  ["a line of no use", "; comments", "comments", "logging.conf: line 27: 'comments' is no option"],
];

test.each(brokenFiles)("%s is refused", (_claim, from, to, message) => {
  expect(() => plan(parseLoggingIni(loggingConf.replace(from, to), "logging.conf"))).toThrow(
    message,
  );
});
