import { withRawEnv } from "../arbiter/act/environment.ts";
import type { AppConfig } from "../arbiter/act/generation.ts";
import { tryApp } from "../arbiter/act/preload.ts";
import { ConfigError } from "../api/errors.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { parseAddress } from "../net/bind-address.ts";
import { checkLogs } from "../log/check.ts";
import { writeFully } from "../os/write-fully.ts";

/** What --check-config checks beyond the settings: bind addresses, log files, and that the app can be imported. */
export async function checkConfig(resolved: AppConfig): Promise<number> {
  const { config } = resolved;
  for (const address of config.bind) checkAddress(address, config.chdir);
  await checkLogs(config);
  const why = await tryApp(resolved, withRawEnv(process.env, config.rawEnv));
  if (why === null) return exitCodes.ok;
  writeFully(2, `Error while loading the application:\n\n${why}\n`);
  return exitCodes.configuration;
}

function checkAddress(address: string, folder: string): void {
  try {
    parseAddress(address, folder);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`bind: ${cause.message}`, { cause });
  }
}
