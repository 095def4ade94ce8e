/** W3C Trace Context, level 1: what a request says of the trace that it belongs to, and what is passed on. Pure. */
import type { Trace } from "../../api/trace.ts";

export interface Parent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

const version0 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** §4.3: of a higher version what is known of it is read, whatever follows. ff is none. */
const laterVersion = /^(?!ff|00)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** The field `traceparent`; null if there is none, or it isn't valid: then the trace begins here (§3.2.2.3, §4.3). */
export function readTraceparent(field: string | null): Parent | null {
  if (field === null) return null;
  const text = field.trim();
  const found = version0.exec(text) ?? laterVersion.exec(text);
  if (found === null) return null;
  const [, traceId = "", spanId = "", flags = ""] = found;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** §3.3.1.5: at least so much has to be passed on; what is longer is somebody's attempt at something. */
const longestState = 512;
const mostMembers = 32;
const member =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/** The field `tracestate` as it is passed on; empty if it isn't valid, or too long: it is dropped as a whole (§3.3). */
export function readTracestate(field: string | null): string {
  if (field === null || field.length > longestState) return "";
  const members = field.split(",").map((each) => each.trim());
  const named = members.filter((each) => each !== "");
  if (named.length > mostMembers || !named.every((each) => member.test(each))) return "";
  const keys = new Set(named.map((each) => each.slice(0, each.indexOf("="))));
  return keys.size === named.length ? named.join(",") : "";
}

/** Which traces are kept. */
export interface Sampler {
  /** What the client has decided is kept to. */
  readonly parentBased: boolean;
  /** The share of the others, from 0 to 1. */
  readonly ratio: number;
}

/** Where ids and decisions come from. */
export interface Chance {
  /** From 0 to 1, without 1. */
  share(): number;
  /** So many random bytes, in hexadecimal. */
  hex(bytes: number): string;
}

/** @param parent null: the trace begins here */
export function isSampled(
  { parentBased, ratio }: Sampler,
  parent: Parent | null,
  chance: Pick<Chance, "share">,
): boolean {
  if (parentBased && parent !== null) return parent.sampled;
  if (ratio >= 1) return true;
  if (parent === null) return chance.share() < ratio;
  // By the last seven bytes, as all SDKs do it: whoever sees the trace decides alike.
  return Number.parseInt(parent.traceId.slice(18), 16) < ratio * 2 ** 56;
}

/** The trace of a request. Of most nobody asks for the ids: they are made when somebody does (bench: traces). */
export class RequestTrace implements Trace {
  readonly sampled: boolean;
  readonly #parent: Parent | null;
  readonly #state: string | null;
  readonly #chance: Pick<Chance, "hex">;
  #traceId: string | null;
  #spanId: string | null = null;

  /** @param tracestate the request's field */
  constructor(
    parent: Parent | null,
    tracestate: string | null,
    sampled: boolean,
    chance: Pick<Chance, "hex">,
  ) {
    this.sampled = sampled;
    this.#parent = parent;
    // §3.3: without a valid traceparent it has no meaning.
    this.#state = parent === null ? null : tracestate;
    this.#chance = chance;
    this.#traceId = parent?.traceId ?? null;
  }

  get traceId(): string {
    return (this.#traceId ??= notZero(this.#chance.hex(16)));
  }

  get spanId(): string {
    return (this.#spanId ??= notZero(this.#chance.hex(8)));
  }

  get parentId(): string | null {
    return this.#parent?.spanId ?? null;
  }

  get traceparent(): string {
    return `00-${this.traceId}-${this.spanId}-${this.sampled ? "01" : "00"}`;
  }

  get tracestate(): string {
    return readTracestate(this.#state);
  }

  /** For whoever logs it. */
  toJSON(): Trace {
    const { traceId, spanId, parentId, sampled, traceparent, tracestate } = this;
    return { traceId, spanId, parentId, sampled, traceparent, tracestate };
  }
}

/** All zero is no id (§3.2.2.3). */
function notZero(id: string): string {
  return /^0+$/.test(id) ? `${id.slice(1)}1` : id;
}
