/** What a connection says to a request that it can't trust. The caller ends the connection. */
import { currentDate } from "../../http/response/date.ts";
import { errors, type RefusalName } from "../../http/errors.ts";
import type { MessageReader } from "../../http/message/message-reader.ts";
import type { OutputBuffer } from "../../http/response/output.ts";
import { encodeFixed } from "../../http/response/response.ts";
import { refusalPage } from "../../http/response/error-page.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Site } from "../exchange/site.ts";
import type { Client } from "./client.ts";

/** Adds the answer, which stands in the place of the exchange's if there is one. */
export function refuse(
  name: RefusalName,
  { site, client, output }: { site: Site; client: Client; output: OutputBuffer },
  reader: MessageReader | null,
  exchange: Exchange | null,
): void {
  logRefusal(name, site, client);
  const page = refusalPage(name, currentDate());
  encodeFixed(page, output);
  const { status, bodyBytes } = page;
  if (exchange !== null) exchange.tell(status, bodyBytes);
  else site.records?.refused({ client, server: site.server, reader }, status, bodyBytes);
}

/** The log line alone, where the client gets another answer. */
export function logRefusal(name: RefusalName, { log }: Site, client: Client): void {
  const { level, text } = errors[name];
  log[level](`Invalid request from ip=${client.shown.address}: ${text}`);
}
