import { adopt, withRawEnv } from "../arbiter/environment.ts";
import { AppImportError } from "../app/errors.ts";
import { ConfigError } from "../config/errors.ts";
import type { Config } from "../config/types.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { parseAddress } from "../listen/address.ts";
import { describeError, writeFully } from "../log/error-log.ts";

/** What --check-config checks beyond the settings: the bind addresses, and that the app can be imported. */
export async function checkConfig(config: Config, app: string): Promise<number> {
  for (const address of config.bind) checkAddress(address, config.chdir);
  adopt(withRawEnv(process.env, config.rawEnv));
  const { loadApp } = await import("../app/load.ts");
  try {
    await loadApp(app, { cwd: config.chdir });
    return exitCodes.ok;
  } catch (error) {
    // The app's own exception needs its stack; a wrong reference is told in one line.
    const text = error instanceof AppImportError ? error.message : describeError(error);
    writeFully(2, `Error while loading the application:\n\n${text}\n`);
    return exitCodes.configuration;
  }
}

function checkAddress(address: string, folder: string): void {
  try {
    parseAddress(address, folder);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`bind: ${cause.message}`, { cause });
  }
}
