import { boolean, dictionary, integer, nullable, oneOf, text } from "../values/kinds.ts";
import { setting } from "../setting.ts";
import {
  linuxOnly,
  metricPrefix,
  metricTags,
  statsdAddress,
  syslogAddress,
  syslogFacility,
  collectorUrl,
  ratio,
} from "../values/telemetry-kinds.ts";

const syslogAddresses: Readonly<Record<string, string>> = {
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
    status: "works",
    description: `Where the access log goes; - is standard output
A relative path starts from chdir. Lines are written in batches, at most a fifth of a second late. USR1 opens the file anew after a rotation; while the
disk is full, up to 16 MiB of lines wait for room.`,
  }),
  disableRedirectAccessToSyslog: setting({
    flags: [{ long: "--disable-redirect-access-to-syslog" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Keep the access log out of syslog`,
  }),
  accessLogFormat: setting({
    flags: [{ long: "--access-logformat" }],
    kind: text,
    default: `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"`,
    status: "works",
    description: `The format of a line of the access log
What can't be read as a format is refused at the start, with the position. log_format json doesn't use it. [logging.md](logging.md) has the atoms.`,
  }),
  logFormat: setting({
    flags: [{ long: "--log-format" }],
    metavar: "FORMAT",
    kind: oneOf("text", "json"),
    default: "text",
    status: "works",
    ours: true,
    description: `Lines of the error log and the access log: text or json
json is one object a line; [logging.md](logging.md) has the fields. It doesn't change what syslog gets in the error log.`,
  }),
  slowRequestLog: setting({
    flags: [{ long: "--slow-request-log" }],
    metavar: "MS",
    kind: integer({ zero: "off", max: 2_147_483_647 }),
    default: 0,
    unit: "milliseconds",
    status: "works",
    ours: true,
    description: `Warn of each request that takes at least so many milliseconds
One line in the error log with method, path, duration, status and pid.`,
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
    status: "works",
    description: `A logger of your own, MODULE:CLASS
MODULE is found as the app's is, from chdir. simple and gunicorn.glogging.Logger mean the server's own. [logging.md](logging.md) has the interface.`,
  }),
  logconfig: setting({
    flags: [{ long: "--log-config" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "works",
    description: `A logging configuration: Python's ini file, or .json
A subset of what Python knows; the rest is refused at the start. Used if neither logconfig_json nor logconfig_dict is set.`,
  }),
  logconfigDict: setting({
    kind: dictionary,
    default: {},
    status: "works",
    description: `The logging configuration as an object; wins over logconfig_json and logconfig
The subset of Python's dictConfig that [logging.md](logging.md) lists.`,
  }),
  logconfigJson: setting({
    flags: [{ long: "--log-config-json" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "works",
    description: `The logging configuration as a JSON file; wins over logconfig`,
  }),
  syslogAddr: setting({
    flags: [{ long: "--log-syslog-to" }],
    metavar: "SYSLOG_ADDR",
    kind: syslogAddress,
    default: "udp://localhost:514",
    defaultOn: ({ platform }) => syslogAddresses[platform] ?? "udp://localhost:514",
    status: "works",
    description: `Where syslog packets go: udp://HOST:PORT, tcp://HOST:PORT or unix://PATH
The port is 514 if left out. unix://@NAME is an abstract socket. Behind a # may stand rfc5424 for packets of RFC 5424, and for unix dgram or stream, which are
both tried otherwise; or two of them: #stream,rfc5424. The default is the system's own socket on macOS, FreeBSD and OpenBSD.`,
  }),
  syslog: setting({
    flags: [{ long: "--log-syslog" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Send the logs to syslog too`,
  }),
  syslogPrefix: setting({
    flags: [{ long: "--log-syslog-prefix" }],
    metavar: "SYSLOG_PREFIX",
    kind: nullable(text),
    default: null,
    status: "works",
    description: `The name in syslog packets; the process name if not set
Packets are from gunicorn.NAME.error and gunicorn.NAME.access. In a process name : becomes a dot.`,
  }),
  syslogFacility: setting({
    flags: [{ long: "--log-syslog-facility" }],
    metavar: "SYSLOG_FACILITY",
    kind: syslogFacility,
    default: "user",
    status: "works",
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
    kind: nullable(statsdAddress),
    default: null,
    status: "works",
    description: `The statsD server: HOST:PORT or unix://PATH
By UDP, port 8125 if left out, or datagrams to a unix socket; unix://@NAME is an abstract one. [instrumentation.md](instrumentation.md) has the metrics.`,
  }),
  dogstatsdTags: setting({
    flags: [{ long: "--dogstatsd-tags" }],
    metavar: "DOGSTATSD_TAGS",
    kind: metricTags,
    default: "",
    status: "works",
    description: `Tags on every metric, comma-separated`,
  }),
  statsdPrefix: setting({
    flags: [{ long: "--statsd-prefix" }],
    metavar: "STATSD_PREFIX",
    kind: metricPrefix,
    default: "",
    status: "works",
    description: `What metric names start with
With exactly one dot behind it.`,
  }),
  otelEndpoint: setting({
    flags: [{ long: "--otel-endpoint" }],
    metavar: "URL",
    kind: nullable(collectorUrl),
    default: null,
    ours: true,
    status: "works",
    description: `The OpenTelemetry collector that spans of requests are sent to: http://HOST:4318, or env
By OTLP over HTTP, in JSON, to /v1/traces of it. env is what OTEL_EXPORTER_OTLP_ENDPOINT says. The rest of OTEL_* that concerns
traces is read from the workers' environment: docs/traces.md.`,
  }),
  otelSample: setting({
    flags: [{ long: "--otel-sample" }],
    metavar: "RATIO",
    kind: nullable(ratio),
    default: null,
    defaultText: "what OTEL_TRACES_SAMPLER says, or all",
    ours: true,
    status: "works",
    description: `The share of the requests that are traced, from 0 to 1
Of those whose client has sent no traceparent: for the others it has decided.`,
  }),
  enableBacklogMetric: setting({
    flags: [{ long: "--enable-backlog-metric" }],
    kind: linuxOnly("the accept queues can be measured"),
    default: false,
    status: "works",
    description: `Measure how many connections wait to be accepted
Each second, by the master, as gunicorn.backlog; needs statsd_host. On Linux only, and refused with worker class serve, whose workers own their sockets.
Unix sockets aren't counted.`,
  }),
};
