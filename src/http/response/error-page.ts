/** Answers that the server itself makes: Gunicorn's error page, and the one that refuses a request. */
import { errors, reasonPhrase, type RefusalName } from "../errors.ts";
import { htmlPage } from "../page.ts";
import { frameFixed } from "./head/framing.ts";
import type { FixedResponse } from "./head/framing.ts";
import { type AppFields, noFields } from "./head/app-fields.ts";
import type { ResponseContext } from "./head/head.ts";

/**
 * What the answer to a websocket of another version says besides (RFC 6455 §4.4, RFC 9110 §15.5.22). `Connection:
 * close` is there already; a second option of it goes into a line of its own.
 */
const versionFields: AppFields = {
  ...noFields,
  lines: "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
};

/** Gunicorn's error page. `message` is shown, escaped; give nothing of the server's insides. */
export function errorPage(
  status: number,
  message: string,
  context: ResponseContext,
  fields = noFields,
): FixedResponse {
  const reason = reasonPhrase(status);
  const body = htmlPage(reason, Bun.escapeHTML(message));
  const length = Buffer.byteLength(body);
  return frameFixed({ status, statusText: "" }, fields, body, length, "text/html", context);
}

/** Clients that come back by themselves do so after a moment (RFC 9110 §10.2.3, §15.6.4). */
const comeBack: AppFields = { ...noFields, lines: "Retry-After: 1\r\n" };

/** What answers a request that the app isn't asked about, since it is behind with others. */
export function overloadPage(context: ResponseContext): FixedResponse {
  return errorPage(503, "", context, comeBack);
}

/** The page that refuses what a client sent, and ends the connection. `date` as httpDate gives it. */
export function refusalPage(name: RefusalName, date: string): FixedResponse {
  const { status, text } = errors[name];
  const context = { head: false, versionMinor: 1, keepAlive: false, date, request: null };
  const fields = name === "unsupported websocket version" ? versionFields : noFields;
  return errorPage(status, text, context, fields);
}
