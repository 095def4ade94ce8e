/** The names by which clients ask for a certificate (SNI, RFC 6066 §3), and whose each is. Pure. */
import { isIP } from "node:net";
import type { X509Certificate } from "node:crypto";
import { ConfigError } from "../api/errors.ts";

/** A certificate with the names that a configuration gives it. */
export interface Named {
  /** What messages begin with: `tls[1]: `. */
  readonly place: string;
  /** None: those of the certificate. */
  readonly wanted: readonly string[];
  readonly leaf: X509Certificate;
}

const label = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?";
const hostname = new RegExp(`^(?:\\*\\.)?(?:${label}\\.)*${label}$`);

/**
 * The names of each certificate; none belongs to two. The first is also for all other names.
 * @throws ConfigError
 */
export function assignNames(all: readonly Named[]): string[][] {
  const owners = new Map<string, string>();
  for (const { place, wanted, leaf } of all) {
    const own = dnsNames(leaf);
    for (const name of wanted) {
      checkName(place, name, own);
      claim(owners, name, place);
    }
  }
  const named = new Set(owners.keys());
  return all.map(({ place, wanted, leaf }, at) => {
    if (wanted.length > 0) return [...wanted];
    const own = dnsNames(leaf);
    if (own.length === 0 && at > 0)
      throw new ConfigError(
        `${place}certfile: must be for a name, got one without a DNS name in its subjectAltName: no client could ask for it`,
      );
    const names = own.filter((name) => hostname.test(name) && !named.has(name));
    if (names.length === 0 && at > 0)
      throw new ConfigError(
        `${place}servername: must be set, no name is left for this certificate: no client could ask for it`,
      );
    for (const name of names) claim(owners, name, place);
    return names;
  });
}

function claim(owners: Map<string, string>, name: string, place: string): void {
  const owner = owners.get(name);
  if (owner !== undefined)
    throw new ConfigError(
      `${place}servername: ${name} must be the name of one certificate, got it twice: ${owner || "certfile"} has it too`,
    );
  owners.set(name, place.replace(/[.: ]+$/, ""));
}

function checkName(place: string, name: string, own: readonly string[]): void {
  if (isIP(name) !== 0 || !hostname.test(name))
    throw new ConfigError(
      `${place}servername: must be a hostname such as www.example.org or *.example.org, got '${name}'`,
    );
  if (own.some((each) => covers(each, name))) return;
  const names = own.length === 0 ? "no DNS name in its subjectAltName" : own.join(", ");
  throw new ConfigError(
    `${place}servername: must be a name of its certificate, got '${name}', and it has ${names}`,
  );
}

/** RFC 6125 §6.4.3: a wildcard stands for one label. */
function covers(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  return pattern.startsWith("*.") && name.slice(name.indexOf(".")) === pattern.slice(1);
}

/** The DNS names of a certificate, in lower case. */
export function dnsNames({ subjectAltName }: X509Certificate): string[] {
  // bun-types says that it is always there.
  const text = (subjectAltName as string | null) ?? "";
  return [...text.matchAll(/DNS:([^,\s"]+)/g)].map(([, name = ""]) => name.toLowerCase());
}
