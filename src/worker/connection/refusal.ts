/** What a connection says to a request that it can't trust. The caller ends the connection. */
import { currentDate } from "../../http/response/date.ts";
import { errors, type RefusalName } from "../../http/errors.ts";
import type { MessageReader } from "../../http/message/message-reader.ts";
import { encodeFixed } from "../../http/response/response.ts";
import { refusalPage } from "../../http/response/error-page.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Line } from "../exchange/reply.ts";

/** Adds the answer, which stands in the place of the exchange's if there is one. */
export function refuse(
  name: RefusalName,
  line: Line,
  reader: MessageReader | null,
  exchange: Exchange | null,
): void {
  logRefusal(name, line);
  const page = refusalPage(name, currentDate());
  encodeFixed(page, line.output);
  if (exchange !== null) exchange.tell(page.status, page.bodyBytes);
  else line.entrance.service.reporter?.refused(line, reader, page.status, page.bodyBytes);
}

/** The log line alone, where the client gets another answer. */
export function logRefusal(name: RefusalName, { entrance, peer }: Line): void {
  const { level, text } = errors[name];
  entrance.service.log[level](`Invalid request from ip=${peer.client.address}: ${text}`);
}
