import { boolean, commaList, dictionary, oneOf, text } from "../values/kinds.ts";
import { addresses, proxyMode } from "../values/network-kinds.ts";
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
    status: "works",
    description: `Headers by which a trusted proxy says that its client used https
Name and exact value. The scheme of request.url follows them; two that contradict each other are answered with 400.`,
  }),
  forwardedAllowIps: setting({
    flags: [{ long: "--forwarded-allow-ips" }],
    kind: addresses,
    default: loopback,
    env: { variable: "FORWARDED_ALLOW_IPS", read: (text) => text },
    status: "works",
    description: `The proxies whose headers are believed
IP addresses and networks, or * for all; peers on unix sockets are always trusted. X-Forwarded-For changes nothing
here: requestIP is the peer, or what the PROXY protocol says.`,
  }),
  xForwardedForHeader: setting({
    kind: text,
    default: "X-FORWARDED-FOR",
    status: {
      never:
        "X-Forwarded-For can be forged by any client; let the app read it, or use the PROXY protocol",
    },
    description: `The header that names the client behind a trusted proxy`,
  }),
  proxyProtocol: setting({
    flags: [{ long: "--proxy-protocol" }],
    kind: proxyMode,
    default: "off",
    status: "works",
    description: `Accept a PROXY header before a connection's first request
off, v1, v2 or auto; the flag alone is auto. The header stays optional. requestIP then names the client.`,
  }),
  proxyAllowIps: setting({
    flags: [{ long: "--proxy-allow-from" }],
    metavar: "PROXY_ALLOW_IPS",
    kind: addresses,
    default: loopback,
    status: "works",
    description: `The peers that may send a PROXY header
Others that send one get 403.`,
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
    status: "works",
    description: `Join header fields that are folded over lines; otherwise 400`,
  }),
  stripHeaderSpaces: setting({
    flags: [{ long: "--strip-header-spaces" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Drop blanks between a header's name and its colon; otherwise 400`,
  }),
  permitUnconventionalHttpMethod: setting({
    flags: [{ long: "--permit-unconventional-http-method" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Allow any token as a method
Otherwise 3 to 20 characters, no lower case and no #.`,
  }),
  permitUnconventionalHttpVersion: setting({
    flags: [{ long: "--permit-unconventional-http-version" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Allow versions other than HTTP/1.0 and HTTP/1.1`,
  }),
  casefoldHttpMethod: setting({
    flags: [{ long: "--casefold-http-method" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Turn methods to upper case
Lower case in a request also needs permit_unconventional_http_method.`,
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
    status: "works",
    description: `Headers with an underscore that a trusted proxy may send
In upper case, whatever header_map says; * for all. SCRIPT_NAME is the path that the app is mounted at.`,
  }),
  headerMap: setting({
    flags: [{ long: "--header-map" }],
    metavar: "HEADER_MAP",
    kind: oneOf("drop", "refuse", "dangerous"),
    default: "drop",
    status: "works",
    description: `What happens to headers with an underscore in their name
drop: the app doesn't see them. refuse: 400. dangerous: they are kept.`,
  }),
  rootPath: setting({
    flags: [{ long: "--root-path" }],
    kind: text,
    default: "",
    status: "works",
    description: `The path that the app is mounted at
For the app to read as server.rootPath; request.url is not changed. The environment variable SCRIPT_NAME, or the header
of that name from a trusted proxy, takes the path off request.url.`,
  }),
};
