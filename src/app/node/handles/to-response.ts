/** What a node listener has answered, as a Response. */
import { reasonPhrase } from "../../../http/errors.ts";
import { isOfConnection } from "../../../http/response/head/app-fields.ts";
import {
  type LazyAnswer,
  lazyResponse,
  responseForServe,
} from "../../../http/response/globals/lazy-response.ts";

/** The head of an answer as ServerResponse gives it. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string | undefined;
  /** Names and values in turn. A name of one NUL is a word of Bun's own about the framing. Bun's code uses the list again. */
  readonly fields: readonly string[];
  /** The connection is to end behind it. */
  readonly closes: boolean;
}

/** For the engine, which frames it. */
export function toResponse(head: AnswerHead, body: LazyAnswer["body"]): Response {
  const { status, reason } = head;
  // The usual phrase goes without saying.
  const statusText = reason === undefined || reason === reasonPhrase(status) ? "" : reason;
  const fields = withoutWords(head.fields);
  if (head.closes) fields.push("Connection", "close");
  return lazyResponse({ status, statusText, fields, body });
}

/**
 * For Bun.serve, which takes nothing but its own class.
 * @param method of the request: an answer to HEAD has no body, and may state a length
 */
export function toNativeResponse(
  method: string,
  { status, reason = "", fields: given, closes }: AnswerHead,
  body: LazyAnswer["body"],
): Response {
  const fields: string[] = [];
  let isStated = false;
  for (let at = 0; at < given.length; at += 2) {
    const [name = "", value = ""] = given.slice(at, at + 2);
    if (name === "\0") continue;
    const lower = name.toLowerCase();
    const isClose = lower === "connection" && /\bclose\b/i.test(value);
    if (isOfConnection(lower) && !isClose) continue;
    if (lower === "content-length") isStated = true;
    fields.push(name, value);
  }
  if (closes) fields.push("Connection", "close");
  // A null body would state the length 0, which the answer to HEAD hasn't said.
  const shown = method === "HEAD" && body === null && !isStated ? new ReadableStream() : body;
  return responseForServe({ status, statusText: reason, fields, body: shown });
}

function withoutWords(fields: readonly string[]): string[] {
  const at = fields.indexOf("\0");
  if (at === -1) return fields.slice();
  return fields.filter((_, index) => fields[index & ~1] !== "\0");
}
