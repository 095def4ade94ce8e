/** The traces of requests under way, by whom they are known: an exchange, or with worker class serve the Request. */
import type { Trace } from "../../api/trace.ts";
import { requestOwner } from "../../http/request/request.ts";

/** On whom it is known by: a WeakMap costs every request more (bench: traces). */
const key = Symbol("trace");

type Owner = object & { [key]?: Trace };

/** Null without otel_endpoint, and for a request that the app wasn't asked for. */
export function traceOf(owner: object): Trace | null {
  return (owner as Owner)[key] ?? null;
}

export function traceOfRequest(request: Request): Trace | null {
  return traceOf(ownerOf(request));
}

export function rememberTrace(request: Request, trace: Trace): void {
  ownerOf(request)[key] = trace;
}

function ownerOf(request: Request): Owner {
  return (requestOwner(request) as Owner | null | undefined) ?? request;
}
