/** Which protocols an address speaks. */
import type { ConfigData } from "./data.ts";

export interface Protocols {
  readonly http1: boolean;
  readonly http2: boolean;
  readonly http3: boolean;
}

type ProtocolSettings = Pick<ConfigData, "httpProtocols" | "http2Cleartext">;

/** What an address speaks, with or without TLS. */
export function protocolsAt(config: ProtocolSettings, secure: boolean): Protocols {
  const { httpProtocols, http2Cleartext } = config;
  const listed = (name: string) => httpProtocols.includes(name);
  const http2 = secure ? listed("h2") : http2Cleartext !== "off";
  return { http1: listed("h1"), http2, http3: secure && listed("h3") };
}
