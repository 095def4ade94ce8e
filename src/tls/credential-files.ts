import { resolve } from "node:path";
import type { ConfigData } from "../config/data.ts";

/** The files that readCredentials() reads, as absolute paths: a change of any may be a renewal. */
export function credentialFiles(config: ConfigData): string[] {
  const { certfile, keyfile, caCerts, keyfilePasswordFile, tls, chdir } = config;
  const pairs = [{ certfile, keyfile }, ...tls].flatMap((pair) => [pair.certfile, pair.keyfile]);
  const files = [...pairs, caCerts, keyfilePasswordFile].filter((path) => path !== null);
  return [...new Set(files.map((path) => resolve(chdir, path)))];
}
