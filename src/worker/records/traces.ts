/**
 * The traces of requests under way, by whom they are known: an exchange, or with worker class serve the Request. Of
 * exchanges only those that are sampled have one before somebody asks: making it costs more than all else (bench: traces).
 */
import type { Trace } from "../../api/trace.ts";
import { requestOwner } from "../../http/request/request.ts";
import type { Head } from "../../http/syntax/head.ts";

/** On whom it is known by: a WeakMap costs every request more (bench: traces). */
const key = Symbol("trace");

type Owner = object & { [key]?: Trace };
type Exchange = Owner & { readonly head: Head };

let makeUnsampled: ((head: Head) => Trace) | null = null;

/** From now on exchanges have traces; `make` makes those that aren't sampled. */
export function provideUnsampled(make: (head: Head) => Trace): void {
  makeUnsampled = make;
}

export function rememberTrace(request: Request, trace: Trace): void {
  (exchangeOf(request) ?? (request as Owner))[key] = trace;
}

/** Null for one that hasn't been made. */
export function knownTrace(owner: object): Trace | null {
  return (owner as Owner)[key] ?? null;
}

/** Of an exchange whose app was asked; null without otel_endpoint. */
export function traceOfExchange(exchange: Exchange): Trace | null {
  if (exchange[key] === undefined && makeUnsampled !== null)
    exchange[key] = makeUnsampled(exchange.head);
  return knownTrace(exchange);
}

/** Null without otel_endpoint, and for a request that the app wasn't asked for. */
export function traceOfRequest(request: Request): Trace | null {
  const exchange = exchangeOf(request);
  return exchange === null ? knownTrace(request) : traceOfExchange(exchange);
}

/** Null for a Request that isn't ours. */
function exchangeOf(request: Request): Exchange | null {
  return (requestOwner(request) as Exchange | null | undefined) ?? null;
}
