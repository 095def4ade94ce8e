import { currentDate } from "../../http/response/head/date.ts";
import type { Head } from "../../http/syntax/head.ts";
import { isPersistent } from "../../http/message/keep-alive.ts";
import { newContext, type ResponseContext } from "../../http/response/head/head.ts";

/** The one context of all answers: it is read before anything else can run (bench: hello). */
const context = newContext();

/**
 * What an answer's head depends on besides the answer; valid until the next call. `closes`: the server ends the
 * connection.
 */
export function answerContext(head: Head, closes: boolean): ResponseContext {
  context.request = head;
  context.head = head.method === "HEAD";
  context.versionMinor = head.versionMinor;
  context.keepAlive = isPersistent(head.versionMinor, head.connection, closes);
  context.date = currentDate();
  return context;
}
