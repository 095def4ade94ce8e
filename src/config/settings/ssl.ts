import { boolean, integer, nullable, text } from "../values/kinds.ts";
import { tlsEntries } from "../values/tls-kinds.ts";
import { setting } from "../setting.ts";

export const ssl = {
  keyfile: setting({
    flags: [{ long: "--keyfile" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "works",
    description: `The private key of certfile, PEM
Not needed where certfile holds the key too. A relative path starts from chdir.`,
  }),
  certfile: setting({
    flags: [{ long: "--certfile" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "works",
    description: `The certificate chain, PEM, the server's own first: it turns TLS on
All addresses of bind are TLS then, but for those that say http://; or if some say https://, these alone. A relative path starts from chdir.`,
  }),
  tls: setting({
    kind: tlsEntries,
    default: [],
    ours: true,
    status: "works",
    description: `Certificates by the name that clients ask for (SNI): a list of { certfile, keyfile, servername }
servername is a name or a list of them, *.example.org among them; without it, the names of the certificate count. A client that asks for no name, or for
another one, gets certfile's certificate, or without that the first of the list.`,
  }),
  tlsWatch: setting({
    flags: [{ long: "--tls-watch" }, { long: "--no-tls-watch", stores: false }],
    kind: boolean,
    default: true,
    ours: true,
    status: "works",
    description: `Serve new connections with renewed certificates as soon as their files change
Pairs that don't fit, as while they are written, are left alone. Without it a reload (HUP) reads them.`,
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
