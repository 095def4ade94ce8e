/** A certificate and its key, as they are to be served: what no client could use is refused, with where, what, and what was got. */
import { type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { ConfigError } from "../api/errors.ts";
import { describeContent, isCutOff, pemBlocks } from "./pem/pem.ts";
import { readPrivateKey, reasonOf } from "./pem/private-key.ts";
import type { Part } from "./pem/read-file.ts";

/** A certificate's texts, before anything is known of them. */
export interface Pair {
  readonly chain: Part;
  readonly key: Part;
}

/** What counts beside the texts. */
export interface Circumstances {
  readonly passphrases: readonly string[];
  readonly allowExpired: boolean;
  readonly nowMs: number;
  /** Hears of what some clients may not like, in one line each. */
  readonly warn: (message: string) => void;
}

export interface CheckedPair {
  readonly leaf: X509Certificate;
  /** PEM. */
  readonly chain: string;
  readonly key: string;
}

/** id-kp-serverAuth, and anyExtendedKeyUsage (RFC 5280 §4.2.1.12). */
const serverUsages = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];

const leastBits = 1024;
const fewBits = 2048;

/** @throws ConfigError */
export function checkPair(pair: Pair, around: Circumstances): CheckedPair {
  const { chain: part, key: keyPart } = pair;
  const { place } = part;
  const { chain, certificates } = readChain(pair);
  const [leaf, ...signers] = certificates as [X509Certificate, ...X509Certificate[]];
  const hint = keyPart === part ? ", and keyfile isn't set" : "";
  const key = readPrivateKey(keyPart, around.passphrases, hint);
  checkFit(pair, key, leaf, signers);
  checkOrder(place, certificates);
  const keyText = key.export({ type: "pkcs8", format: "pem" }) as string;
  checkTaken(place, chain, keyText);
  checkStrength(place, leaf, key, around);
  checkUsage(place, leaf);
  for (const [at, certificate] of certificates.entries()) {
    // That one is about to expire, or has, is told by the master again and again.
    if (around.allowExpired && hasExpired(certificate.validTo, around.nowMs)) continue;
    checkDates(`${place}: ${nameOf(certificate, at)}`, certificate, around);
  }
  warnOfGaps(place, certificates, around);
  // RFC 9110 §4.3.4: the common name doesn't count any more.
  if (!leaf.subjectAltName)
    around.warn(
      `${place}: ${nameOf(leaf, 0)} has no subjectAltName: no client finds its name in it`,
    );
  return { leaf, chain, key: keyText };
}

function readChain({ chain: { place, text }, key }: Pair) {
  const blocks = pemBlocks(text).filter(({ label }) => label === "CERTIFICATE");
  if (blocks.length === 0) {
    const isSwapped =
      key.place !== place && pemBlocks(key.text).some(({ label }) => label === "CERTIFICATE");
    const hint = isSwapped ? `: ${key.place} has one, are the two swapped?` : "";
    throw new ConfigError(`${place}: holds no certificate, it ${describeContent(text)}${hint}`);
  }
  if (isCutOff(text)) throw new ConfigError(`${place}: ${describeContent(text)}`);
  const certificates = blocks.map((block, at) => readCertificate(place, block.text, at));
  return { chain: blocks.map((block) => block.text).join(""), certificates };
}

/** @throws ConfigError */
export function readCertificate(place: string, text: string, at: number): X509Certificate {
  try {
    const certificate = new X509Certificate(text);
    // Read on demand: a kind of key that Bun doesn't know is found here.
    void certificate.publicKey;
    return certificate;
  } catch (cause) {
    throw new ConfigError(`${place}: certificate ${at + 1} can't be read: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function checkFit(
  { chain: { place }, key }: Pair,
  keyObject: KeyObject,
  leaf: X509Certificate,
  signers: readonly X509Certificate[],
): void {
  if (leaf.checkPrivateKey(keyObject)) return;
  const at = signers.findIndex((each) => each.checkPrivateKey(keyObject));
  if (at >= 0)
    throw new ConfigError(
      `${place}: the server's own certificate must be the first, got it as number ${at + 2}`,
    );
  throw new ConfigError(
    `${key.place}: must be the key of ${nameOf(leaf, 0)} in ${place}, got another one`,
  );
}

/** RFC 8446 §4.4.2: each certificate certifies the one before it. Some clients take any order, others don't. */
function checkOrder(place: string, certificates: readonly X509Certificate[]): void {
  for (const [at, certificate] of certificates.entries()) {
    const signer = certificates[at + 1];
    if (signer === undefined) return;
    const [one, next] = [nameOf(certificate, at), nameOf(signer, at + 1)];
    if (!certificate.checkIssued(signer) || !certificate.verify(signer.publicKey))
      throw new ConfigError(
        `${place}: ${one} must be followed by the certificate of ${oneLine(certificate.issuer)}, who signed it, got ${next}`,
      );
    if (!signer.ca) throw new ConfigError(`${place}: ${next} is of no CA, and can't sign ${one}`);
  }
}

/** Whatever else Bun refuses: kinds of keys, mostly. */
function checkTaken(place: string, cert: string, key: string): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new ConfigError(`${place}: Bun refuses it: ${reasonOf(cause)}`, { cause });
  }
}

function checkStrength(
  place: string,
  leaf: X509Certificate,
  key: KeyObject,
  { warn }: Circumstances,
): void {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? Number.POSITIVE_INFINITY;
  const got = `${place}: ${nameOf(leaf, 0)}: an RSA key must have ${fewBits} bits or more, got ${bits}`;
  if (bits < leastBits) throw new ConfigError(got);
  if (bits < fewBits) warn(`${got}; many clients refuse it`);
  const { signatureAlgorithm = "" } = leaf as { signatureAlgorithm?: string };
  if (/sha1|md5/i.test(signatureAlgorithm))
    warn(
      `${place}: ${nameOf(leaf, 0)} is signed by ${signatureAlgorithm}, which many clients refuse`,
    );
}

function checkUsage(place: string, leaf: X509Certificate): void {
  // bun-types says that it is always there.
  const usages = leaf.keyUsage as string[] | null | undefined;
  if (!usages || usages.some((usage) => serverUsages.includes(usage))) return;
  throw new ConfigError(
    `${place}: ${nameOf(leaf, 0)} must be for servers (serverAuth), got extendedKeyUsage ${usages.join(", ")}`,
  );
}

/**
 * That a certificate isn't valid now may be allowed, and is told then.
 * @throws ConfigError where it isn't
 */
export function checkDates(
  place: string,
  { validFrom, validTo }: X509Certificate,
  { nowMs, allowExpired, warn }: Pick<Circumstances, "nowMs" | "allowExpired" | "warn">,
): void {
  const expired = hasExpired(validTo, nowMs);
  if (!expired && Date.parse(validFrom) <= nowMs) return;
  const message = expired
    ? `${place} has expired at ${isoTime(validTo)}`
    : `${place} is not valid before ${isoTime(validFrom)}`;
  if (!allowExpired) throw new ConfigError(`${message}; tls_allow_expired serves it all the same`);
  warn(message);
}

function hasExpired(validTo: string, nowMs: number): boolean {
  return Date.parse(validTo) < nowMs;
}

/** The usual mistake with certbot's files: cert.pem for fullchain.pem. A root of one's own says nothing of where it is. */
function warnOfGaps(
  place: string,
  certificates: readonly X509Certificate[],
  { warn }: Circumstances,
): void {
  const [leaf, signer] = certificates;
  if (leaf === undefined || signer !== undefined) return;
  if (leaf.subject === leaf.issuer || !/CA Issuers/.test(leaf.infoAccess ?? "")) return;
  warn(
    `${place}: holds no certificate of ${oneLine(leaf.issuer)}, who signed ${nameOf(leaf, 0)}: many clients won't find it by themselves`,
  );
}

/** `certificate 2 (CN=R3, O=Let's Encrypt)` */
export function nameOf({ subject, subjectAltName }: X509Certificate, at: number): string {
  // bun-types says that both are there.
  const name = (subject as string | null) ?? (subjectAltName as string | null) ?? "without a name";
  return `certificate ${at + 1} (${oneLine(name)})`;
}

/** A distinguished name, which is one part a line: `CN=R3, O=Let's Encrypt`. Control characters are escaped in it. */
function oneLine(name: string | null): string {
  return (name ?? "an unknown issuer").replaceAll("\n", ", ");
}

function isoTime(time: string): string {
  return new Date(time).toISOString().replace(".000", "");
}
