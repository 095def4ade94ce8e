/** What the configuration says to all connections of an `async` worker: frozen data and pure functions, made once. */
import type { ConfigData } from "../../config/types.ts";
import { type Limits, limitsFrom } from "../../http/limits.ts";
import { compileSchemeHeaders } from "../../http/proxy/forwarded.ts";
import type { ProxyMode } from "../../net/proxy-mode.ts";
import type { ProxyReader } from "../../http/proxy/proxy-protocol.ts";
import type { ParserOptions } from "../../http/syntax/parser.ts";
import { createTrust } from "../../net/trust.ts";
import type { MountSettings } from "../exchange/mount.ts";
import { tickMs } from "./connections.ts";
import type { DeadlineTicks, SocketProbe } from "./deadlines.ts";

/** How long a client may take to close after the last answer. */
const lingerSeconds = 2;

/** How many peers' addresses are remembered with the verdict about them. */
const rememberedPeers = 1024;

type Trust = (address: string | undefined) => boolean;

export interface EngineSettings {
  readonly maxConnections: number;
  readonly limits: Limits;
  readonly parserOptions: ParserOptions;
  /** limit_request_body; Infinity for none. */
  readonly maxBodyBytes: number;
  readonly deadlines: DeadlineTicks;
  readonly mount: MountSettings;
  /** Whether the peer is in forwarded_allow_ips. */
  readonly trusts: Trust;
  readonly proxyMode: ProxyMode;
  /** Whether the peer is in proxy_allow_ips. */
  readonly mayProxy: Trust;
  /** A reader of the PROXY header of a peer; null without proxy_protocol. */
  readonly readProxy: ((address: string | undefined) => ProxyReader) | null;
}

/** `scriptName`: the environment variable SCRIPT_NAME, where the app is mounted; empty for the root. */
export function engineSettings(
  config: ConfigData,
  scriptName: string,
  { probe, Proxies }: { readonly probe: SocketProbe; readonly Proxies: typeof ProxyReader | null },
): EngineSettings {
  const mode = config.proxyProtocol;
  const mayProxy = mode === "off" ? () => false : createTrust(config.proxyAllowIps);
  return Object.freeze({
    maxConnections: config.workerConnections,
    limits: limitsFrom(config),
    parserOptions: {
      permitUnconventionalMethod: config.permitUnconventionalHttpMethod,
      permitUnconventionalVersion: config.permitUnconventionalHttpVersion,
      casefoldMethod: config.casefoldHttpMethod,
      stripHeaderSpaces: config.stripHeaderSpaces,
      permitObsoleteFolding: config.permitObsoleteFolding,
      headerMap: config.headerMap,
      forwarderHeaders: config.forwarderHeaders,
    },
    maxBodyBytes:
      config.limitRequestBody === 0 ? Number.POSITIVE_INFINITY : config.limitRequestBody,
    deadlines: Object.freeze({
      headTicks: ticksOf(config.headerTimeout),
      bodyTicks: ticksOf(config.bodyTimeout),
      writeTicks: ticksOf(config.writeTimeout),
      keepAliveTicks: ticksOf(config.keepalive),
      lingerTicks: ticksOf(lingerSeconds),
      graceTicks: ticksOf(config.asgiDisconnectGracePeriod),
      probe,
    }),
    mount: Object.freeze({
      schemeHeaders: compileSchemeHeaders(config.secureSchemeHeaders as Record<string, string>),
      scriptName,
      scriptNameHeader: ["SCRIPT_NAME", "*"].some((name) => config.forwarderHeaders.includes(name)),
    }),
    trusts: remembering(createTrust(config.forwardedAllowIps)),
    proxyMode: mode,
    mayProxy,
    readProxy:
      mode === "off" || Proxies === null
        ? null
        : (address: string | undefined) => new Proxies(mode, mayProxy(address)),
  });
}

/** Seconds as ticks of the connections' clock; 0 stays 0. */
export function ticksOf(seconds: number): number {
  // One more: the first tick may come at once.
  return seconds <= 0 ? 0 : Math.ceil((seconds * 1000) / tickMs) + 1;
}

/** The same verdicts, without asking for each connection of one proxy again. */
function remembering(trust: Trust): Trust {
  const verdicts = new Map<string | undefined, boolean>();
  return (address) => {
    const known = verdicts.get(address);
    if (known !== undefined) return known;
    const verdict = trust(address);
    if (verdicts.size >= rememberedPeers) verdicts.clear();
    verdicts.set(address, verdict);
    return verdict;
  };
}
