import { withRawEnv } from "../arbiter/act/environment.ts";
import type { AppConfig } from "../arbiter/act/generation.ts";
import { tryApp } from "../arbiter/act/preload.ts";
import { ConfigError } from "../api/errors.ts";
import type { Config } from "../config/types.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { bindAddresses, hasCertificates } from "../net/secure-addresses.ts";
import { checkLogs } from "../log/check.ts";
import { writeFully } from "../os/write-fully.ts";

/** What --check-config checks beyond the settings: addresses, certificates, log files, and that the app can be imported. */
export async function checkConfig(resolved: AppConfig): Promise<number> {
  const { config } = resolved;
  checkAddresses(config);
  if (hasCertificates(config)) {
    const { readCredentials } = await import("../tls/read-credentials.ts");
    readCredentials(config);
  }
  await checkLogs(config);
  const why = await tryApp(resolved, withRawEnv(process.env, config.rawEnv));
  if (why === null) return exitCodes.ok;
  writeFully(2, `Error while loading the application:\n\n${why}\n`);
  return exitCodes.configuration;
}

function checkAddresses(config: Config): void {
  try {
    bindAddresses(config);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`bind: ${cause.message}`, { cause });
  }
}
