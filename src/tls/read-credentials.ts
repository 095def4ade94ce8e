/** The files that TLS is served with, read and checked by the master: workers may not be able to read them. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../api/errors.ts";
import type { ConfigData } from "../config/data.ts";
import { hasCertificates } from "../net/secure-addresses.ts";
import type { TlsCertificate, TlsCredentials } from "./credentials.ts";

/** Forward secrecy and AEAD only: Bun's own list has suites with neither. */
const defaultCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

/** Where a certificate and its key are. */
interface Pair {
  /** What messages begin with. */
  readonly place: string;
  readonly certfile: string;
  readonly keyfile: string | null;
  readonly servername: readonly string[];
}

/**
 * Reads all that a configuration serves TLS with; null: it serves none.
 * @throws ConfigError with one line: where, what, and what was got
 */
export function readCredentials(config: ConfigData): TlsCredentials | null {
  if (!hasCertificates(config)) return null;
  const [first, ...rest] = pairsOf(config).map((pair) => readPair(pair, config.chdir));
  // A keyfile alone is refused before (src/config/tls-rules.ts).
  if (first === undefined) return null;
  return {
    certificates: [first, ...rest],
    clientCertificates: "none",
    ca: null,
    ciphers: defaultCiphers,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
  };
}

function pairsOf({ certfile, keyfile, tls }: ConfigData): Pair[] {
  const own = certfile === null ? [] : [{ place: "", certfile, keyfile, servername: [] }];
  return [...own, ...tls.map((entry, index) => ({ place: `tls[${index}].`, ...entry }))];
}

function readPair(pair: Pair, folder: string): TlsCertificate {
  const { place, certfile, keyfile, servername } = pair;
  const chain = readPem(`${place}certfile`, certfile, folder);
  const leaf = parseLeaf(`${place}certfile`, certfile, chain);
  const keyPlace = keyfile === null ? `${place}certfile` : `${place}keyfile`;
  const keyPath = keyfile ?? certfile;
  const text = keyfile === null ? chain : readPem(keyPlace, keyfile, folder);
  const key = parseKey(keyPlace, keyPath, text);
  if (!leaf.checkPrivateKey(key))
    throw new ConfigError(
      `${keyPlace}: ${keyPath}: isn't the key of the certificate in ${certfile}`,
    );
  return {
    chain: certificatesIn(chain).join(""),
    key: key.export({ type: "pkcs8", format: "pem" }) as string,
    serverNames: servername.length > 0 ? servername : dnsNames(leaf),
  };
}

function readPem(place: string, path: string, folder: string): string {
  const absolute = resolve(folder, path);
  try {
    // A FIFO would keep the master waiting.
    if (!statSync(absolute).isFile()) throw new ConfigError(`${place}: ${path}: is not a file`);
    return readFileSync(absolute, "latin1");
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`${place}: ${(cause as Error).message}`, { cause });
  }
}

function certificatesIn(text: string): string[] {
  const pattern = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
  return [...text.matchAll(pattern)].map(([block]) => `${block}\n`);
}

function parseLeaf(place: string, path: string, text: string): X509Certificate {
  const [first] = certificatesIn(text);
  if (first === undefined) throw new ConfigError(`${place}: ${path}: holds no certificate in PEM`);
  try {
    return new X509Certificate(first);
  } catch (cause) {
    throw new ConfigError(`${place}: ${path}: can't be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function parseKey(place: string, path: string, text: string): KeyObject {
  const [block] =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/.exec(text) ?? [];
  if (block === undefined) throw new ConfigError(`${place}: ${path}: holds no private key in PEM`);
  try {
    return createPrivateKey(block);
  } catch (cause) {
    throw new ConfigError(`${place}: ${path}: can't be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function dnsNames({ subjectAltName = "" }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/DNS:([^,\s"]+)/g)].map(([, name = ""]) => name.toLowerCase());
}
