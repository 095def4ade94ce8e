import { alwaysOn, boolean, integer, nullable } from "../values/kinds.ts";
import { cipherList, filePath, sslVersion, tlsEntries } from "../values/tls-kinds.ts";
import { setting } from "../setting.ts";

export const ssl = {
  keyfile: setting({
    flags: [{ long: "--keyfile" }],
    metavar: "FILE",
    kind: nullable(filePath),
    default: null,
    status: "works",
    description: `The private key of certfile, PEM
Not needed where certfile holds the key too. A relative path starts from chdir. The master reads it, workers needn't be able to.`,
  }),
  certfile: setting({
    flags: [{ long: "--certfile" }],
    metavar: "FILE",
    kind: nullable(filePath),
    default: null,
    status: "works",
    description: `The certificate chain, PEM, the server's own first: it turns TLS on
All addresses of bind are TLS then, but for those that say http://; or if some say https://, these alone. A relative path starts from chdir.
[tls.md](tls.md) has what is checked at the start and at each reload.`,
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
  keyfilePasswordFile: setting({
    flags: [{ long: "--keyfile-password-file" }],
    metavar: "FILE",
    kind: nullable(filePath),
    default: null,
    ours: true,
    status: "works",
    description: `The passphrase of encrypted private keys
One a line; they are tried one after the other. Or the environment variable GUNICORN_KEYFILE_PASSWORD, which workers don't get.`,
  }),
  tlsAllowExpired: setting({
    flags: [{ long: "--tls-allow-expired" }],
    kind: boolean,
    default: false,
    ours: true,
    status: "works",
    description: `Serve a certificate that has expired, or isn't valid yet, with a warning
Otherwise the server doesn't start with it, and a reload is refused.`,
  }),
  sslVersion: setting({
    flags: [{ long: "--ssl-version" }],
    metavar: "SSL_VERSION",
    kind: sslVersion,
    default: "TLS",
    status: "works",
    description: `The TLS version: TLS, TLSv1_2 or TLSv1_3
TLS is 1.2 and 1.3, as are Gunicorn's SSLv23 and TLS_SERVER; the other two are that version alone. TLSv1_1 and older are refused, Bun doesn't have them. Gunicorn
ignores it since version 21.`,
  }),
  certReqs: setting({
    flags: [{ long: "--cert-reqs" }],
    metavar: "CERT_REQS",
    kind: integer({ max: 2 }),
    default: 0,
    status: "works",
    description: `Client certificates: 0 none, 1 optional, 2 required
1 asks for one, and refuses a wrong one. Needs ca_certs.`,
  }),
  caCerts: setting({
    flags: [{ long: "--ca-certs" }],
    metavar: "FILE",
    kind: nullable(filePath),
    default: null,
    status: "works",
    description: `The CA certificates that client certificates are checked against, PEM
These alone: the system's own don't count. Needs cert_reqs 1 or 2.`,
  }),
  suppressRaggedEofs: setting({
    flags: [{ long: "--suppress-ragged-eofs" }],
    kind: alwaysOn("Bun takes an end without TLS's close message for an end"),
    default: true,
    status: "works",
    description: `Take a TLS end without its close message as an end`,
  }),
  doHandshakeOnConnect: setting({
    flags: [{ long: "--do-handshake-on-connect" }],
    kind: alwaysOn("the handshake is done as soon as the client begins it, and holds up nobody"),
    default: true,
    status: "works",
    description: `Do the TLS handshake as soon as a client connects
In Gunicorn it may wait for the first read, and false is the default.`,
  }),
  ciphers: setting({
    flags: [{ long: "--ciphers" }],
    metavar: "CIPHERS",
    kind: nullable(cipherList),
    default: null,
    defaultText: "ECDHE+AESGCM:ECDHE+CHACHA20",
    status: "works",
    description: `The ciphers of TLS 1.2, as an OpenSSL list
Those of TLS 1.3 are always on. The default has only ciphers with forward secrecy that authenticate what they encrypt. Bun knows fewer names than OpenSSL: one
that it doesn't know is told in the log.`,
  }),
};
