/** Answers that the server itself makes: Gunicorn's error page, and the one that refuses a request. */
import { errors, reasonPhrase, type RefusalName } from "../errors.ts";
import { htmlPage } from "../page.ts";
import { frameFixed } from "./framing.ts";
import type { FixedResponse } from "./framing.ts";
import { noFields } from "./head.ts";
import type { ResponseContext } from "./head.ts";

/** Gunicorn's error page. `message` is shown, escaped; give nothing of the server's insides. */
export function errorPage(
  status: number,
  message: string,
  context: ResponseContext,
): FixedResponse {
  const reason = reasonPhrase(status);
  const body = htmlPage(reason, Bun.escapeHTML(message));
  const length = Buffer.byteLength(body);
  return frameFixed({ status, statusText: "" }, noFields, body, length, "text/html", context);
}

/** The page that refuses what a client sent, and ends the connection. `date` as httpDate gives it. */
export function refusalPage(name: RefusalName, date: string): FixedResponse {
  const { status, text } = errors[name];
  return errorPage(status, text, {
    head: false,
    versionMinor: 1,
    keepAlive: false,
    date,
    request: null,
  });
}
