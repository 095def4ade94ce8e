/** What apps, configuration files, logger classes and worker classes import of the package. */
import type { UserConfig } from "./config/types.ts";

export type { HookEnviron, HookRequest, HookServer, HookWorker, ServerHooks } from "./api/hooks.ts";
export type { CustomLogger, Log, Metric } from "./api/log.ts";
export { currentTrace } from "./api/current-trace.ts";
export type { Trace } from "./api/trace.ts";
export type { RequestFacts, RequestObserver, RequestRecord } from "./api/request-record.ts";
export type {
  BoundTo,
  Fetch,
  ListeningSocket,
  RequestHandler,
  ServedApp,
  Serving,
  ServingClass,
  ServingContext,
} from "./api/serving.ts";
export type { WorkerServer } from "./api/worker-server.ts";
export type { Config, ConfigData, UserConfig } from "./config/types.ts";
export type {
  ClientCertificates,
  TlsCertificate,
  TlsCredentials,
  TlsSource,
  TlsVersion,
} from "./tls/credentials.ts";
export { log, Logger } from "./log/custom/logger.ts";

/** Returns its argument: for gunicorn.conf.ts, whose settings an editor then completes and checks. */
export function defineConfig(config: UserConfig): UserConfig {
  return config;
}
