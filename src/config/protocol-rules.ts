/** Rules between the settings of protocols: none that no address would speak, and no address that would speak none. */
import { ConfigError } from "../api/errors.ts";
import { bindAddresses } from "../net/secure-addresses.ts";
import { protocolsAt } from "./protocols.ts";
import type { Config, SettingKey } from "./types.ts";
import { workerClassOf } from "./worker-classes.ts";

const numbers = [
  "http2MaxConcurrentStreams",
  "http2InitialWindowSize",
  "http2MaxFrameSize",
  "http2MaxHeaderListSize",
] as const satisfies readonly SettingKey[];

/**
 * @param given the places of the settings that a file or a command line sets, by setting
 * @throws ConfigError
 */
export function checkProtocolRules(config: Config, given: ReadonlyMap<SettingKey, string>): void {
  const { httpProtocols, http2Cleartext, workers, workerClass } = config;
  const isDefault = httpProtocols.join() === "h1" && http2Cleartext === "off";
  const number = numbers.find((key) => given.has(key));
  // Nothing to look at: what is bound is somebody else's to check.
  if (isDefault && number === undefined) return;
  const refuse = (key: SettingKey, what: string): never => {
    throw new ConfigError(`${given.get(key) ?? key}: ${what}`);
  };
  const addresses = bindAddresses(config).map(({ secure }, index) => {
    const speaks = protocolsAt(config, secure);
    return { text: config.bind[index], secure, ...speaks };
  });
  const hasTls = addresses.some(({ secure }) => secure);
  const [h1, h2] = ["h1", "h2"].map((name) => httpProtocols.indexOf(name)) as [number, number];
  if (h1 !== -1 && h1 < h2)
    refuse("httpProtocols", "h2 must stand before h1, Bun.serve prefers it: say h2,h1");
  if (httpProtocols.includes("h3") && !hasTls)
    refuse("httpProtocols", "h3 needs TLS, and certfile isn't set");
  if (httpProtocols.join() === "h3")
    refuse("httpProtocols", "h3 needs h2 or h1 beside it, whose answers tell clients of it");
  if (httpProtocols.includes("h2") && !addresses.some(({ http2 }) => http2))
    refuse("httpProtocols", "h2 needs TLS by certfile, or --http2-cleartext prior-knowledge");
  if (http2Cleartext !== "off" && addresses.every(({ secure }) => secure))
    refuse("http2Cleartext", `${http2Cleartext} is for addresses without TLS, and there is none`);
  if (number !== undefined && !addresses.some(({ http2 }) => http2))
    refuse(number, "needs HTTP/2, see http_protocols");
  const silent = addresses.find(({ http1, http2, http3 }) => !http1 && !http2 && !http3);
  if (silent !== undefined)
    refuse("httpProtocols", `without h1, ${silent.text} speaks nothing: it has no TLS`);
  if (httpProtocols.includes("h3") && workers > 1 && workerClassOf(workerClass).sockets === "own")
    refuse(
      "httpProtocols",
      `h3 needs workers to be 1, got ${workers}: one process has the UDP port`,
    );
}
