/** Kinds of the settings of syslog and statsD. The contract is that of kinds.ts; the value stays the text as given. */
import {
  parseStatsdAddress,
  parseSyslogAddress,
  syslogFacilities,
  type SyslogFacility,
} from "../../net/telemetry-address.ts";
import { ConfigError } from "../../api/errors.ts";
import { boolean, type Kind, quote, refuse, show, text } from "./kinds.ts";

export const syslogAddress: Kind<string> = {
  ...text,
  range: "udp://HOST:PORT, tcp://HOST:PORT or unix://PATH, with #rfc5424, #dgram, #stream",
  parse(value, facts) {
    const address = text.parse(value, facts);
    parseSyslogAddress(address);
    return address;
  },
};

const facilities = Object.keys(syslogFacilities);

export const syslogFacility: Kind<SyslogFacility> = {
  takes: "value",
  metavar: "STRING",
  range: facilities.join(", "),
  parse(value, facts) {
    const word = text.parse(value, facts).toLowerCase();
    if (facilities.includes(word)) return word as SyslogFacility;
    throw new ConfigError(`unknown facility name ${quote(value)}`);
  },
  show,
};

export const statsdAddress: Kind<string> = {
  ...text,
  range: "HOST:PORT, [v6]:PORT or unix://PATH",
  parse(value, facts) {
    const address = text.parse(value, facts);
    parseStatsdAddress(address);
    return address;
  },
};

/** What metric names start with. What would end the name, or the metric, is refused. */
export const metricPrefix: Kind<string> = {
  ...text,
  range: "text without control characters, : and |",
  parse(value, facts) {
    const prefix = text.parse(value, facts);
    return /[\0-\x1f\x7f:|]/.test(prefix)
      ? refuse("without control characters, : and |", value)
      : prefix;
  },
};

/** What stands behind each metric. */
export const metricTags: Kind<string> = {
  ...text,
  range: "text without control characters and |",
  parse(value, facts) {
    const tags = text.parse(value, facts);
    return /[\0-\x1f\x7f|]/.test(tags) ? refuse("without control characters and |", value) : tags;
  },
};

/** A switch that needs what only Linux has; `what` begins the sentence that refuses it. */
export function linuxOnly(what: string): Kind<boolean> {
  return {
    ...boolean,
    range: "true (Linux only) or false",
    parse(value, facts) {
      const on = boolean.parse(value, facts);
      if (on && facts.platform !== "linux") throw new ConfigError(`${what} only on Linux`);
      return on;
    },
  };
}

/** Where spans go; `env` is what the environment says. */
export const collectorUrl: Kind<string> = {
  ...text,
  range: "http://HOST:PORT, https://HOST:PORT, or env",
  parse(value, facts) {
    const url = text.parse(value, facts);
    if (url === "env") return url;
    const parsed = URL.parse(url);
    const isHttp = parsed?.protocol === "http:" || parsed?.protocol === "https:";
    const { search = "", hash = "", username = "", password = "" } = parsed ?? {};
    // Names and passwords have OTEL_EXPORTER_OTLP_HEADERS: this stands in logs.
    const hasMore = search + hash + username + password !== "";
    return isHttp && !hasMore ? url : refuse("a URL, http:// or https://, or env", value);
  },
};

const decimalNumber = /^\s*(?:\d+(?:\.\d*)?|\.\d+)\s*$/;

/** A share of all. */
export const ratio: Kind<number, number | string> = {
  takes: "value",
  metavar: "FLOAT",
  range: "0 to 1",
  parse(value) {
    const isText = typeof value === "string" && decimalNumber.test(value);
    const number = isText ? Number(value) : value;
    return typeof number === "number" && number >= 0 && number <= 1
      ? number
      : refuse("a number from 0 to 1", value);
  },
  show,
};
