/** Kinds of where connections come from and what they speak. The contract is that of kinds.ts. */
import type { ProxyMode } from "../../net/proxy-mode.ts";
import { networkFault } from "../../net/networks.ts";
import { commaList, type Kind, refuse, show, textList } from "./kinds.ts";

/** Addresses; which forms they have is known to src/net. */
export const bindList: Kind<readonly string[], string | readonly string[]> = {
  ...textList,
  parse(value, facts) {
    const items = textList.parse(value, facts);
    return items.length === 0 ? refuse("at least one address", value) : items;
  },
};

/** Peers: IP addresses, networks without host bits, or `*`. */
export const addresses: Kind<readonly string[], string | readonly string[]> = {
  ...commaList,
  range: "IP addresses and networks (10.0.0.0/8), comma-separated, or *",
  parse(value, facts) {
    const items = commaList.parse(value, facts);
    for (const item of items) {
      const fault = item === "*" ? null : networkFault(item);
      if (fault !== null) refuse(fault, item);
    }
    return items;
  },
};

const proxyModes: Readonly<Record<string, ProxyMode>> = {
  off: "off",
  false: "off",
  "0": "off",
  none: "off",
  auto: "auto",
  true: "auto",
  "1": "auto",
  v1: "v1",
  v2: "v2",
};

export const proxyMode: Kind<ProxyMode, ProxyMode | boolean> = {
  takes: "optional",
  metavar: "MODE",
  range: "off, v1, v2 or auto",
  bare: "auto",
  parse(value) {
    const word = typeof value === "boolean" ? String(value) : value;
    const mode = typeof word === "string" ? proxyModes[word.trim().toLowerCase()] : undefined;
    return mode ?? refuse("off, v1, v2 or auto", value);
  },
  show,
};

const protocols = ["h1", "h2", "h3"];

export const httpProtocols: Kind<readonly string[], string | readonly string[]> = {
  ...commaList,
  range: "h1, h2 and h3, comma-separated",
  parse(value, facts) {
    const items = commaList.parse(value, facts);
    for (const item of items) if (!protocols.includes(item)) refuse("h1, h2 or h3", item);
    if (new Set(items).size < items.length) refuse("different protocols", value);
    return items.length === 0 ? ["h1"] : items;
  },
};
