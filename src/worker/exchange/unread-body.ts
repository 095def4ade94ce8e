/**
 * What a body costs that the app doesn't read (RFC 9112 §9.3): a little is read and dropped, so that the connection lives
 * on; more, or what may never come, ends it. Pure.
 */
import type { RequestBody } from "../../http/request/body.ts";

/** Up to this size it is read. */
const discardLimitBytes = 65_536;

type Reading = Pick<RequestBody, "touched" | "discarded">;

/**
 * Whether the head of the answer is to say that the connection ends.
 * @param missing how many bytes haven't come; Infinity when nobody knows
 * @param waits the client waits for 100 Continue: it may or may not send the body now
 */
export function costsConnection(body: Reading, missing: number, waits: boolean): boolean {
  if (missing === 0) return false;
  if (waits) return true;
  const read = body.touched && !body.discarded;
  return !read && missing > discardLimitBytes;
}

/** Whether it ends behind an answer whose head couldn't know yet that nobody reads on. */
export function costsItAfterAll({ discarded }: Reading, missing: number): boolean {
  return discarded && missing > discardLimitBytes;
}
