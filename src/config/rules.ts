/** Rules between settings, checked when each value for itself is right. */
import { ConfigError } from "../api/errors.ts";
import type { Config, SettingKey } from "./types.ts";

const ownReader = "Bun.serve reads requests itself";
const ownTimer = "Bun.serve has one idle timer for keep-alive, uploads and responses together";

/** What worker class serve can't honour, and why. */
const refusedByServe: Partial<Record<SettingKey, string>> = {
  limitRequestLine: `${ownReader}, with a limit of its own`,
  limitRequestFields: `${ownReader} and doesn't count fields`,
  limitRequestFieldSize: `${ownReader}, with a limit of its own`,
  limitRequestBody: `${ownReader}, its limit is the app's option maxRequestBodySize`,
  headerTimeout: `${ownReader}, with a limit of its own`,
  bodyTimeout: ownTimer,
  writeTimeout: ownTimer,
  keepalive: `${ownTimer}, the app's option idleTimeout`,
  asgiDisconnectGracePeriod: "Bun.serve aborts a request as soon as its client sends FIN",
  backlog: "Bun.serve opens its own sockets and takes no backlog",
  enableBacklogMetric: "the sockets that have queues are the workers' own",
  workerConnections: "Bun.serve accepts without a bound",
  secureSchemeHeaders: `${ownReader} and makes their URLs`,
  forwardedAllowIps: `${ownReader} and makes their URLs`,
  proxyProtocol: `${ownReader} and knows no PROXY header`,
  proxyAllowIps: `${ownReader} and knows no PROXY header`,
  permitObsoleteFolding: ownReader,
  stripHeaderSpaces: ownReader,
  permitUnconventionalHttpMethod: ownReader,
  permitUnconventionalHttpVersion: ownReader,
  casefoldHttpMethod: ownReader,
  forwarderHeaders: ownReader,
  headerMap: ownReader,
  rootPath: "the app gets Bun's own server object",
};

/**
 * @param given the places of the settings that a file or a command line sets, by setting
 * @param env the environment of the start
 * @throws ConfigError
 */
export function checkRules(
  config: Config,
  given: ReadonlyMap<SettingKey, string>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  if (config.workerClass !== "serve") return;
  for (const [key, place] of given) {
    const why = refusedByServe[key];
    if (why !== undefined) {
      throw new ConfigError(`${place}: can't be set with worker class serve: ${why}`);
    }
  }
  if (scriptName(config.rawEnv, env) !== "") {
    const why = `${ownReader} and makes their URLs`;
    throw new ConfigError(`SCRIPT_NAME: can't be set with worker class serve: ${why}`);
  }
  const takenOver = config.bind.find((address) => /^(unix:|fd:\/\/)/i.test(address));
  if (takenOver !== undefined) {
    const why = `worker class serve can't take over sockets, use --worker-class async`;
    throw new ConfigError(`${given.get("bind") ?? "bind"}: ${takenOver}: ${why}`);
  }
  const place = given.get("reusePort");
  if (place !== undefined && !config.reusePort) {
    const why = "each Bun.serve opens a socket of its own";
    throw new ConfigError(`${place}: can't be off with worker class serve: ${why}`);
  }
}

/** As workers will find it in their environment. */
function scriptName(
  rawEnv: Config["rawEnv"],
  env: Readonly<Record<string, string | undefined>>,
): string {
  const set = rawEnv.findLast((entry) => entry.startsWith("SCRIPT_NAME="));
  return set?.slice("SCRIPT_NAME=".length) ?? env["SCRIPT_NAME"] ?? "";
}
