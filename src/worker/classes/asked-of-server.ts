/** What an app asks its server about one of its requests, which the request's exchange knows. */
import type { AppServerHost } from "../../app/server.ts";
import { requestOwner } from "../../http/request/request.ts";
import { earlyHintsHead } from "../../http/response/head/early-hints.ts";
import { ticksOf } from "../connection/engine-settings.ts";
import { traceOfRequest } from "../records/traces.ts";
import { Exchange } from "../exchange/exchange.ts";

/** The half of an AppServer's host that is the same for all listeners. */
export const askedOfServer: Pick<
  AppServerHost,
  "requestIP" | "timeout" | "earlyHints" | "peerCertificate" | "trace"
> = {
  requestIP: (request) => exchangeOf(request)?.client.address ?? null,
  timeout: (request, seconds) => exchangeOf(request)?.answersWithin(ticksOf(seconds)),
  earlyHints(request, headers) {
    // What the app gets wrong is told whatever the client speaks.
    const head = earlyHintsHead(headers);
    return exchangeOf(request)?.sendInterim(head) ?? false;
  },
  trace: traceOfRequest,
  peerCertificate: (request) => exchangeOf(request)?.client.peerCertificate ?? null,
};

function exchangeOf(request: Request): Exchange | null {
  const owner = requestOwner(request);
  return owner instanceof Exchange ? owner : null;
}
