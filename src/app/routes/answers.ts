/** What a route's value answers, if it is no function: a Response that is always the same, or a file. */
import { bodyInit, bodyKind, filePath, sliceStart } from "../../http/response/globals/body.ts";
import type { App } from "../shape.ts";

export type Handle = App["fetch"];

/** @param fallback answers when a file isn't there, as in Bun: it is no route then; null for a value that can't answer */
export function handleOf(value: unknown, fallback: Handle): Handle | null {
  if (typeof value === "function") return value as Handle;
  if (value instanceof Blob) {
    return isFile(value) ? ofFile(value, {}, fallback) : ofResponse(new Response(value), fallback);
  }
  return value instanceof Response ? ofResponse(value, fallback) : null;
}

function isFile(blob: Blob): blob is Bun.BunFile {
  return filePath(blob) !== null && sliceStart(blob) === undefined;
}

function ofResponse(response: Response, fallback: Handle): Handle {
  const init = bodyInit(response);
  if (init instanceof Blob && isFile(init)) return ofFile(init, response, fallback);
  // What it was made from may be a stream: nobody knows how long.
  if (bodyKind(init) === "stream") return () => response.clone() as Response;
  let tag: Promise<string> | null = null;
  return async (request) => {
    tag ??= tagOf(response);
    const answer = response.clone() as Response;
    const etag = await tag;
    if (etag === "") return answer;
    answer.headers.set("etag", etag);
    const condition = request.headers.get("if-none-match");
    if (condition === null || !isConditional(request, answer) || !names(condition, etag)) {
      return answer;
    }
    return new Response(null, { status: 304, headers: answer.headers });
  };
}

/** The app's own, or one of the bytes, as Bun makes it; empty for no bytes. */
async function tagOf(response: Response): Promise<string> {
  const own = response.headers.get("etag");
  if (own !== null) return own;
  const bytes = await response.clone().bytes();
  if (bytes.length === 0) return "";
  return `"${Bun.hash.xxHash64(bytes).toString(16).padStart(16, "0")}"`;
}

function ofFile(
  file: Bun.BunFile,
  { status = 200, headers }: ResponseInit,
  fallback: Handle,
): Handle {
  return async (request, server) => {
    const modified = await modifiedAt(file);
    if (modified === null) return await fallback(request, server);
    const answer = new Response(file, headers === undefined ? { status } : { status, headers });
    if (!answer.headers.has("last-modified")) {
      answer.headers.set("last-modified", modified.toUTCString());
    }
    if (!isConditional(request, answer) || !isFresh(request.headers, answer.headers)) return answer;
    answer.headers.set("content-type", answer.headers.get("content-type") ?? file.type);
    return new Response(null, { status: 304, headers: answer.headers });
  };
}

/** Null for what isn't there, and for what is no file. */
async function modifiedAt(file: Bun.BunFile): Promise<Date | null> {
  try {
    const stat = await file.stat();
    return stat.isFile() ? stat.mtime : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** RFC 9110 §13.2.1: conditions are for what would be a 200 without them; §13.1.2, §13.1.3: of GET and HEAD. */
function isConditional({ method }: Request, { status }: Response): boolean {
  return status === 200 && (method === "GET" || method === "HEAD");
}

/** RFC 9110 §13.2.2: If-None-Match goes before If-Modified-Since. */
function isFresh(asked: Headers, fields: Headers): boolean {
  const condition = asked.get("if-none-match");
  if (condition !== null) return names(condition, fields.get("etag") ?? "");
  const since = Date.parse(asked.get("if-modified-since") ?? "");
  return since >= Date.parse(fields.get("last-modified") ?? "");
}

/** RFC 9110 §13.1.2: the comparison is the weak one. */
function names(condition: string, tag: string): boolean {
  if (condition.trim() === "*") return true;
  const opaque = tag.replace(/^W\//, "");
  return Array.from(condition.matchAll(/"[^"]*"/g), ([each]) => each).includes(opaque);
}
