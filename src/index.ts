import type { UserConfig } from "./config/types.ts";

export type {
  HookEnviron,
  HookRequest,
  HookServer,
  HookWorker,
  Log,
  Metric,
  ServerHooks,
} from "./api/hooks.ts";
export type { Config, ConfigData, UserConfig } from "./config/types.ts";
export { type CustomLogger, log, Logger } from "./log/custom/logger.ts";
export type { RequestRecord } from "./api/request-record.ts";

/** Returns its argument: for gunicorn.conf.ts, whose settings an editor then completes and checks. */
export function defineConfig(config: UserConfig): UserConfig {
  return config;
}
