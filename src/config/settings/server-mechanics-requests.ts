import { boolean, commaList, dictionary, oneOf, text } from "../kinds.ts";
import { addresses, proxyMode } from "../particular-kinds.ts";
import { setting } from "../setting.ts";

const loopback = ["127.0.0.1", "::1"] as const;

/** How requests are read: the second half of Gunicorn's section Server Mechanics. */
export const serverMechanicsRequests = {
  secureSchemeHeaders: setting({
    kind: dictionary,
    default: {
      "X-FORWARDED-PROTOCOL": "ssl",
      "X-FORWARDED-PROTO": "https",
      "X-FORWARDED-SSL": "on",
    },
    status: "planned",
    description: `Headers by which a trusted proxy says that its client used https`,
  }),
  forwardedAllowIps: setting({
    flags: [{ long: "--forwarded-allow-ips" }],
    kind: addresses,
    default: loopback,
    env: { variable: "FORWARDED_ALLOW_IPS", read: (text) => text },
    status: "planned",
    description: `The proxies whose headers are believed`,
  }),
  xForwardedForHeader: setting({
    kind: text,
    default: "X-FORWARDED-FOR",
    status: "planned",
    description: `The header that names the client behind a trusted proxy`,
  }),
  proxyProtocol: setting({
    flags: [{ long: "--proxy-protocol" }],
    kind: proxyMode,
    default: "off",
    status: "planned",
    description: `Accept a PROXY header before a connection's first request
off, v1, v2 or auto; the flag alone is auto.`,
  }),
  proxyAllowIps: setting({
    flags: [{ long: "--proxy-allow-from" }],
    metavar: "PROXY_ALLOW_IPS",
    kind: addresses,
    default: loopback,
    status: "planned",
    description: `The peers that may send a PROXY header`,
  }),
  protocol: setting({
    flags: [{ long: "--protocol" }],
    kind: oneOf("http", "uwsgi"),
    default: "http",
    status: "planned",
    description: `The protocol on all listeners: http or uwsgi`,
  }),
  uwsgiAllowIps: setting({
    flags: [{ long: "--uwsgi-allow-from" }],
    metavar: "UWSGI_ALLOW_IPS",
    kind: addresses,
    default: loopback,
    status: "planned",
    description: `The peers that may speak uwsgi`,
  }),
  permitObsoleteFolding: setting({
    flags: [{ long: "--permit-obsolete-folding" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Join header fields that are folded over lines; otherwise 400`,
  }),
  stripHeaderSpaces: setting({
    flags: [{ long: "--strip-header-spaces" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Drop blanks between a header's name and its colon; otherwise 400`,
  }),
  permitUnconventionalHttpMethod: setting({
    flags: [{ long: "--permit-unconventional-http-method" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Allow any token as a method`,
  }),
  permitUnconventionalHttpVersion: setting({
    flags: [{ long: "--permit-unconventional-http-version" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Allow versions other than HTTP/1.0 and HTTP/1.1`,
  }),
  casefoldHttpMethod: setting({
    flags: [{ long: "--casefold-http-method" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Turn methods to upper case`,
  }),
  tolerateDangerousFraming: setting({
    flags: [{ long: "--tolerate-dangerous-framing" }],
    kind: boolean,
    default: false,
    status: { never: "such requests are request smuggling" },
    description: `Accept requests whose length is ambiguous`,
  }),
  forwarderHeaders: setting({
    flags: [{ long: "--forwarder-headers" }],
    metavar: "FORWARDER_HEADERS",
    kind: commaList,
    default: ["SCRIPT_NAME", "PATH_INFO"],
    status: "planned",
    description: `Headers with an underscore that a trusted proxy may send`,
  }),
  headerMap: setting({
    flags: [{ long: "--header-map" }],
    metavar: "HEADER_MAP",
    kind: oneOf("drop", "refuse", "dangerous"),
    default: "drop",
    status: "planned",
    description: `What happens to headers with an underscore in their name`,
  }),
  rootPath: setting({
    flags: [{ long: "--root-path" }],
    kind: text,
    default: "",
    status: "planned",
    description: `The path that the app is mounted at`,
  }),
};
