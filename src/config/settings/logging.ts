import { boolean, dictionary, nullable, oneOf, text } from "../kinds.ts";
import { setting } from "../setting.ts";

const syslogAddresses: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: "unix:///var/run/syslog",
  freebsd: "unix:///var/run/log",
  openbsd: "unix:///dev/log",
};

export const logging = {
  accesslog: setting({
    flags: [{ long: "--access-logfile" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `Where the access log goes; - is standard output`,
  }),
  disableRedirectAccessToSyslog: setting({
    flags: [{ long: "--disable-redirect-access-to-syslog" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Keep the access log out of syslog`,
  }),
  accessLogFormat: setting({
    flags: [{ long: "--access-logformat" }],
    kind: text,
    default: `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"`,
    status: "planned",
    description: `The format of a line of the access log`,
  }),
  errorlog: setting({
    flags: [{ long: "--error-logfile", alias: "--log-file" }],
    metavar: "FILE",
    kind: text,
    default: "-",
    status: "works",
    description: `Where the error log goes; - is standard error
A relative path starts from chdir. Master and workers append to the file, whose owner is user and group; USR1 opens it anew after
a rotation. While the disk is full, up to 1 MiB of lines wait for room.`,
  }),
  loglevel: setting({
    flags: [{ long: "--log-level" }],
    metavar: "LEVEL",
    kind: oneOf("debug", "info", "warning", "error", "critical"),
    default: "info",
    status: "works",
    description: `The least severe level that the error log shows
debug, info, warning, error or critical. Another word is refused; Gunicorn takes it for info.`,
  }),
  captureOutput: setting({
    flags: [{ long: "--capture-output" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Send what master and workers print to the error log's file
Without a file it changes nothing, as in Gunicorn.`,
  }),
  loggerClass: setting({
    flags: [{ long: "--logger-class" }],
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `A logger of your own, MODULE:CLASS`,
  }),
  logconfig: setting({
    flags: [{ long: "--log-config" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: { pythonOnly: "use --log-config-json" },
    description: `A logging configuration for Python's logging module`,
  }),
  logconfigDict: setting({
    kind: dictionary,
    default: {},
    status: "planned",
    description: `The logging configuration as an object; wins over logconfig_json`,
  }),
  logconfigJson: setting({
    flags: [{ long: "--log-config-json" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `The logging configuration as a JSON file`,
  }),
  syslogAddr: setting({
    flags: [{ long: "--log-syslog-to" }],
    metavar: "SYSLOG_ADDR",
    kind: text,
    default: "udp://localhost:514",
    defaultOn: ({ platform }) => syslogAddresses[platform] ?? "udp://localhost:514",
    status: "planned",
    description: `Where syslog packets go: udp://HOST:PORT, tcp://HOST:PORT or unix://PATH
The default is the system's own socket on macOS, FreeBSD and OpenBSD.`,
  }),
  syslog: setting({
    flags: [{ long: "--log-syslog" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Send the logs to syslog too`,
  }),
  syslogPrefix: setting({
    flags: [{ long: "--log-syslog-prefix" }],
    metavar: "SYSLOG_PREFIX",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `The name in syslog packets; the process name if not set`,
  }),
  syslogFacility: setting({
    flags: [{ long: "--log-syslog-facility" }],
    metavar: "SYSLOG_FACILITY",
    kind: text,
    default: "user",
    status: "planned",
    description: `The syslog facility`,
  }),
  enableStdioInheritance: setting({
    flags: [{ long: "--enable-stdio-inheritance", short: "-R" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `As a daemon, keep standard output and error if they aren't terminals
Standard input is /dev/null all the same.`,
  }),
  statsdHost: setting({
    flags: [{ long: "--statsd-host" }],
    metavar: "STATSD_ADDR",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `The statsD server: HOST:PORT or unix://PATH`,
  }),
  dogstatsdTags: setting({
    flags: [{ long: "--dogstatsd-tags" }],
    metavar: "DOGSTATSD_TAGS",
    kind: text,
    default: "",
    status: "planned",
    description: `Tags on every metric, comma-separated`,
  }),
  statsdPrefix: setting({
    flags: [{ long: "--statsd-prefix" }],
    metavar: "STATSD_PREFIX",
    kind: text,
    default: "",
    status: "planned",
    description: `What metric names start with`,
  }),
  enableBacklogMetric: setting({
    flags: [{ long: "--enable-backlog-metric" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Measure how many connections wait to be accepted
Linux and TCP only.`,
  }),
};
