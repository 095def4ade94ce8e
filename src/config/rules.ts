/** Rules between settings, checked when each value for itself is right. */
import { ConfigError } from "../api/errors.ts";
import { bindAddresses } from "../net/secure-addresses.ts";
import type { Config, SettingKey } from "./types.ts";
import { checkAdminRules } from "./admin-rules.ts";
import { checkAutoscaleRules } from "./autoscale-rules.ts";
import { checkTlsRules } from "./tls-rules.ts";
import { checkProtocolRules } from "./protocol-rules.ts";
import { settingOf } from "./settings.ts";
import { refuseTakingOver, workerClassOf } from "./worker-classes.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param given the places of the settings that a file or a command line sets, by setting
 * @param env the environment of the start
 * @throws ConfigError
 */
export function checkRules(
  config: Config,
  given: ReadonlyMap<SettingKey, string>,
  env: Environment,
): void {
  checkAddresses(config, given);
  const { workerClass } = config;
  const { refuses, refusesEnvironment, takesOnly, sockets } = workerClassOf(workerClass);
  for (const [key, place] of given) {
    if (!Object.hasOwn(refuses, key)) continue;
    throw new ConfigError(
      `${place}: can't be set with worker class ${workerClass}: ${refuses[key]}`,
    );
  }
  for (const [variable, why] of Object.entries(refusesEnvironment)) {
    if (inWorkers(variable, config.rawEnv, env) === "") continue;
    throw new ConfigError(`${variable}: can't be set with worker class ${workerClass}: ${why}`);
  }
  const takenOver = config.bind.find((address) => /^(unix:|fd:\/\/)/i.test(address));
  if (sockets === "own" && takenOver !== undefined) {
    const place = given.get("bind") ?? "bind";
    throw new ConfigError(`${place}: ${takenOver}: ${refuseTakingOver(workerClass)}`);
  }
  for (const [key, place] of given) {
    const only = takesOnly[key];
    const shown = settingOf(key).kind.show(config[key]);
    if (only === undefined || only.values.includes(shown)) continue;
    throw new ConfigError(
      `${place}: can't be ${shown} with worker class ${workerClass}: ${only.why}`,
    );
  }
  if (config.shedLatencyMs === 0 && config.shedExempt.length > 0) {
    const place = given.get("shedExempt") ?? "shedExempt";
    throw new ConfigError(`${place}: needs shed_latency_ms, which is 0`);
  }
  if (config.otelEndpoint === null && config.otelSample !== null) {
    const place = given.get("otelSample") ?? "otelSample";
    throw new ConfigError(`${place}: needs otel_endpoint, which isn't set`);
  }
  checkAutoscaleRules(config, given);
  checkAdminRules(config, given, env);
  checkTlsRules(config, given, env);
  checkProtocolRules(config, given);
}

/** Here and not in the kind: what a relative path is depends on chdir. */
function checkAddresses(config: Config, given: ReadonlyMap<SettingKey, string>): void {
  try {
    bindAddresses(config);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`${given.get("bind") ?? "bind"}: ${cause.message}`, { cause });
  }
}

/** A variable as workers will find it in their environment; empty without it. */
function inWorkers(variable: string, rawEnv: Config["rawEnv"], env: Environment): string {
  const set = rawEnv.findLast((entry) => entry.startsWith(`${variable}=`));
  return set?.slice(variable.length + 1) ?? env[variable] ?? "";
}
