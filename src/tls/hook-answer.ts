/** What the hook ssl_context gives: nothing of it is believed before it is looked at. */
import { ConfigError } from "../api/errors.ts";
import { inspectSafely, isA, messageOf } from "../api/thrown.ts";
import type { Config } from "../config/types.ts";
import type { CertificateDraft, CredentialsDraft } from "./credentials-draft.ts";
import { clientCertificates, type TlsCredentials, tlsVersions } from "./credentials.ts";

const place = "sslContext: ";

const longestShown = 40;

const known = ["certificates", "clientCertificates", "ca", "ciphers", "minVersion", "maxVersion"];

/**
 * @param fromFiles what the settings say, read and checked
 * @throws ConfigError, also with what the hook throws
 */
export function askHook(
  config: Config,
  hook: NonNullable<Config["sslContext"]>,
  fromFiles: () => TlsCredentials,
): CredentialsDraft {
  let answer: unknown;
  try {
    answer = hook(config, fromFiles);
  } catch (cause) {
    if (isA(cause, ConfigError)) throw cause;
    const [line] = (isA(cause, Error) ? messageOf(cause) : inspectSafely(cause)).split("\n");
    throw new ConfigError(`${place}${line}`, { cause });
  }
  if (isA(answer, Promise)) {
    // That it rejects doesn't matter any more, and must not end the process.
    answer.catch(() => {});
    throw refuse("", "give its answer at once", "a promise");
  }
  const fields = fieldsOf("", answer, known);
  const { certificates, ca, ciphers } = fields;
  if (!Array.isArray(certificates) || certificates.length === 0)
    throw refuse("certificates: ", "be a list of one or more", show(certificates));
  const draft = {
    place,
    certificates: certificates.map(readCertificate),
    clientCertificates: oneOf("clientCertificates", clientCertificates, fields),
    ca: ca === null ? null : { place: `${place}ca`, text: readText("ca: ", ca) },
    ciphers: readText("ciphers: ", ciphers),
    minVersion: oneOf("minVersion", tlsVersions, fields),
    maxVersion: oneOf("maxVersion", tlsVersions, fields),
  };
  if (draft.minVersion > draft.maxVersion)
    throw refuse("minVersion: ", `be at most ${draft.maxVersion}`, draft.minVersion);
  return draft;
}

function readCertificate(value: unknown, index: number): CertificateDraft {
  const at = `certificates[${index}]`;
  const { chain, key, serverNames } = fieldsOf(`${at}: `, value, ["chain", "key", "serverNames"]);
  if (!Array.isArray(serverNames))
    throw refuse(`${at}.serverNames: `, "be a list of names", show(serverNames));
  return {
    place: `${place}${at}.`,
    chain: { place: `${place}${at}.chain`, text: readText(`${at}.chain: `, chain) },
    // Never shown, not even in an error.
    key: { place: `${place}${at}.key`, text: readText(`${at}.key: `, key) },
    serverNames: serverNames.map((name) => readText(`${at}.serverNames: `, name).toLowerCase()),
  };
}

function fieldsOf(at: string, value: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse(at, `give an object with ${names.join(", ")}`, show(value));
  const stranger = Object.keys(value).find((name) => !names.includes(name));
  if (stranger !== undefined) throw refuse(at, `have only ${names.join(", ")}`, stranger);
  return value as Record<string, unknown>;
}

function oneOf<const Word extends string>(
  name: string,
  words: readonly Word[],
  fields: Record<string, unknown>,
): Word {
  const word = words.find((each) => each === fields[name]);
  if (word !== undefined) return word;
  throw refuse(`${name}: `, `be ${words.join(" or ")}`, show(fields[name]));
}

function readText(at: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw refuse(at, "be a text", show(value));
}

/** A value of the wrong kind. It may be a key in the wrong place, which isn't for a log. */
function show(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return value.length > longestShown ? "a text" : `'${value}'`;
  return typeof value === "object" ? (Array.isArray(value) ? "a list" : "an object") : typeof value;
}

function refuse(at: string, must: string, got: string): ConfigError {
  return new ConfigError(`${place}${at}must ${must}, got ${got}`);
}
