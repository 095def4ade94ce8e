import { withRawEnv } from "../arbiter/act/master/environment.ts";
import { warnOfPython } from "../arbiter/act/master/python-file.ts";
import { type AppConfig, asksForControl } from "../arbiter/act/configuration/generation.ts";
import { adminOf } from "../arbiter/act/configuration/configurations.ts";
import { tryApp } from "../arbiter/act/configuration/preload.ts";
import { tellExpiry } from "../arbiter/decide/certificates.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { hasCertificates } from "../net/secure-addresses.ts";
import { checkLogs } from "../log/check.ts";
import { writeFully } from "../os/write-fully.ts";

interface Origin {
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * What --check-config checks beyond the settings: certificates, log files, and that the app can be imported.
 * @param origin where and with what environment the program was started
 */
export async function checkConfig(
  resolved: AppConfig,
  { directory, env }: Origin,
): Promise<number> {
  const { config } = resolved;
  const warn = (message: string) => writeFully(2, `Warning: ${message}\n`);
  const python = warnOfPython(directory, resolved.configFile);
  if (python !== null) warn(python);
  if (hasCertificates(config)) {
    const { readCredentials } = await import("../tls/read-credentials.ts");
    const { describeCertificate } = await import("../tls/describe.ts");
    const credentials = readCredentials(config, { env, warn });
    const facts = credentials?.certificates.map(describeCertificate) ?? [];
    for (const { message } of tellExpiry(facts, new Map(), Date.now()).lines) warn(message);
  }
  if (asksForControl(resolved)) {
    const { checkPlace } = await import("../arbiter/control/check-place.ts");
    checkPlace(config, env);
  }
  await adminOf(resolved, { env, warn });
  await checkLogs(config);
  const why = await tryApp(resolved, withRawEnv(process.env, config.rawEnv));
  if (why === null) return exitCodes.ok;
  writeFully(2, `Error while loading the application:\n\n${why}\n`);
  return exitCodes.configuration;
}
