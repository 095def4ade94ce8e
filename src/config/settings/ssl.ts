import { boolean, integer, nullable, text } from "../values/kinds.ts";
import { setting } from "../setting.ts";

export const ssl = {
  keyfile: setting({
    flags: [{ long: "--keyfile" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `The private key; it or certfile turns TLS on`,
  }),
  certfile: setting({
    flags: [{ long: "--certfile" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `The certificate chain`,
  }),
  sslVersion: setting({
    flags: [{ long: "--ssl-version" }],
    metavar: "SSL_VERSION",
    kind: nullable(text),
    default: null,
    status: { pythonOnly: "TLS versions are negotiated" },
    description: `A TLS version in Python's words; ignored by Gunicorn too`,
  }),
  certReqs: setting({
    flags: [{ long: "--cert-reqs" }],
    metavar: "CERT_REQS",
    kind: integer({ max: 2 }),
    default: 0,
    status: "planned",
    description: `Client certificates: 0 none, 1 optional, 2 required`,
  }),
  caCerts: setting({
    flags: [{ long: "--ca-certs" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `The CA certificates that client certificates are checked against`,
  }),
  suppressRaggedEofs: setting({
    flags: [{ long: "--suppress-ragged-eofs" }],
    kind: boolean,
    default: true,
    status: { pythonOnly: "Bun's TLS does it always" },
    description: `Take a TLS end without its close message as an end`,
  }),
  doHandshakeOnConnect: setting({
    flags: [{ long: "--do-handshake-on-connect" }],
    kind: boolean,
    default: false,
    status: { pythonOnly: "Bun's TLS does it always" },
    description: `Do the TLS handshake as soon as a client connects`,
  }),
  ciphers: setting({
    flags: [{ long: "--ciphers" }],
    metavar: "CIPHERS",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `The ciphers, as an OpenSSL list`,
  }),
};
