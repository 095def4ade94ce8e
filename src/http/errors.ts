/**
 * Everything that is refused, by name: its status (RFC 9110 §15), and what the log says of it. Names are what parsers
 * return and what the corpus expects.
 */

/** What can be wrong with a request. */
export type ParseErrorName =
  | "tls on a plain port"
  | "http2 preface"
  | "bad line end"
  | "bad request line"
  | "bad method"
  | "bad target"
  | "bad version"
  | "unsupported version"
  | "request line too long"
  | "bad field name"
  | "bad field value"
  | "obsolete folding"
  | "field too large"
  | "too many fields"
  | "missing host"
  | "repeated host"
  | "bad host"
  | "repeated content-type"
  | "bad content-length"
  | "repeated content-length"
  | "bad transfer-encoding"
  | "unsupported transfer-encoding"
  | "transfer-encoding on http/1.0"
  | "content-length with transfer-encoding"
  | "unknown expectation"
  | "bad chunk size"
  | "bad chunk extension"
  | "chunk line too long"
  | "too many chunk extensions"
  | "bad chunk end"
  | "forbidden trailer"
  | "trailers too large";

/** What can be wrong with a PROXY header. */
export type ProxyErrorName =
  | "bad proxy line"
  | "bad proxy header"
  | "proxy header too long"
  | "unexpected proxy version"
  | "forbidden proxy";

/** What can be wrong with the opening handshake of a websocket. */
export type HandshakeErrorName =
  | "websocket without get"
  | "websocket on http/1.0"
  | "websocket with a body"
  | "websocket without connection option"
  | "bad websocket key"
  | "bad websocket version"
  | "unsupported websocket version";

/** What a connection refuses: what can't be parsed, and the rest. */
export type RefusalName =
  | ParseErrorName
  | ProxyErrorName
  | HandshakeErrorName
  | "plain http on a tls port"
  | "contradictory scheme headers"
  | "path outside script name"
  | "body too large"
  | "head too slow"
  | "body too slow";

export interface ParseError {
  readonly status: number;
  readonly reason: string;
  /** Gunicorn logs every invalid request as a warning. */
  readonly level: "debug" | "warning";
  /** What was wrong, for the log line and the page, without any byte of the request. */
  readonly text: string;
}

function row(status: keyof typeof reasons, text: string): ParseError {
  return { status, reason: reasons[status], level: "warning", text };
}

/** Reason phrases of RFC 9110 §15, RFC 6585, RFC 2518, RFC 4918, RFC 7725, RFC 8297 and RFC 8470. */
const reasons = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a Teapot",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  510: "Not Extended",
  511: "Network Authentication Required",
} as const;

const byStatus: Readonly<Record<number, string>> = reasons;

/** The reason phrase of a status code; empty for codes that nobody registered, as RFC 9112 §4 allows. */
export function reasonPhrase(status: number): string {
  return byStatus[status] ?? "";
}

/** What each parse error answers and logs. */
export const parseErrors = {
  "tls on a plain port": row(400, "TLS handshake on a plain HTTP port"),
  "http2 preface": row(400, "HTTP/2 preface on an HTTP/1.1 port"),
  "bad line end": row(400, "Line does not end in CRLF"),
  "bad request line": row(400, "Invalid HTTP request line"),
  "bad method": row(400, "Invalid HTTP method"),
  "bad target": row(400, "Invalid request target"),
  "bad version": row(400, "Invalid HTTP version"),
  // RFC 9110 §15.6.6: a well-formed version whose major number isn't ours.
  "unsupported version": row(505, "Unsupported HTTP version"),
  // RFC 9112 §3: a target longer than we wish to parse MUST be answered with 414. Gunicorn says 400.
  "request line too long": row(414, "Request line is over limit_request_line"),
  "bad field name": row(400, "Invalid header field name"),
  "bad field value": row(400, "Invalid header field value"),
  "obsolete folding": row(400, "Obsolete line folding is unacceptable"),
  "field too large": row(431, "Header field is over limit_request_field_size"),
  "too many fields": row(431, "More header fields than limit_request_fields"),
  "missing host": row(400, "Missing Host header field"),
  "repeated host": row(400, "Repeated Host header field"),
  "bad host": row(400, "Invalid Host header field"),
  "repeated content-type": row(400, "Repeated Content-Type header field"),
  "bad content-length": row(400, "Invalid Content-Length"),
  "repeated content-length": row(400, "Repeated Content-Length header field"),
  "bad transfer-encoding": row(400, "Invalid Transfer-Encoding"),
  "unsupported transfer-encoding": row(501, "Unsupported transfer coding"),
  "transfer-encoding on http/1.0": row(400, "Transfer-Encoding in an HTTP/1.0 request"),
  "content-length with transfer-encoding": row(400, "Content-Length with Transfer-Encoding"),
  "unknown expectation": row(417, "Unable to comply with expectation"),
  "bad chunk size": row(400, "Invalid chunk size"),
  "bad chunk extension": row(400, "Invalid chunk extension"),
  "chunk line too long": row(400, "Chunk size line is too long"),
  "too many chunk extensions": row(400, "Chunk extensions outweigh the data"),
  "bad chunk end": row(400, "Chunk data is not followed by CRLF"),
  "forbidden trailer": row(400, "Forbidden trailer field"),
  "trailers too large": row(431, "Trailer section is too large"),
} as const satisfies Record<ParseErrorName, ParseError>;

/** The same for everything that a connection refuses. */
export const errors = {
  ...parseErrors,
  "bad proxy line": row(400, "Invalid PROXY line"),
  // Gunicorn says 500, as if it were the server's fault.
  "bad proxy header": row(400, "Invalid PROXY header"),
  "proxy header too long": row(400, "PROXY header is too long"),
  "unexpected proxy version": row(400, "PROXY header of a version that proxy_protocol refuses"),
  "forbidden proxy": row(403, "PROXY header from a peer outside proxy_allow_ips"),
  "websocket without get": row(400, "Websocket handshake whose method is not GET"),
  "websocket on http/1.0": row(400, "Websocket handshake in an HTTP/1.0 request"),
  "websocket with a body": row(400, "Websocket handshake with a body"),
  "websocket without connection option": row(
    400,
    "Websocket handshake without Connection: upgrade",
  ),
  "bad websocket key": row(400, "Missing or invalid Sec-WebSocket-Key"),
  "bad websocket version": row(400, "Missing or invalid Sec-WebSocket-Version"),
  "unsupported websocket version": row(426, "Unsupported Sec-WebSocket-Version: it must be 13"),
  // nginx's sentence.
  "plain http on a tls port": row(400, "The plain HTTP request was sent to HTTPS port"),
  "contradictory scheme headers": row(400, "Contradictory scheme headers"),
  // As in Gunicorn: the client can't help it, the proxy or the mount is misconfigured.
  "path outside script name": row(500, "Request path does not start with SCRIPT_NAME"),
  "body too large": row(413, "Request body is over limit_request_body"),
  "head too slow": row(408, "Request head took longer than header_timeout"),
  "body too slow": row(408, "Request body stood still for longer than body_timeout"),
} as const satisfies Record<RefusalName, ParseError>;
