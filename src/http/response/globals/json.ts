/**
 * Response.json() of a worker. Bun's makes the text of a value and keeps it to itself: whoever sends it has to ask for a
 * promise of it, which costs half as much as the text (bench: json). So the text of an object is made here, and the
 * Response of it, with what Bun's own says of JSON.
 */
import type { KnownFields } from "../head/known-fields.ts";
import { jsonInit, markBody, NativeResponse } from "./body.ts";

const nativeJson = NativeResponse.json as (...args: unknown[]) => Response;
const nativeStringify = JSON.stringify as (value: unknown) => string | undefined;

/** What Response.json() says of its text, unless it is told more. */
const jsonFields: KnownFields = { names: [], values: [], fields: null };

/** Its status and fields are those of each JSON that is told no others: Bun copies them. */
const pattern = nativeJson.call(NativeResponse, {});

/** JSON of so many bytes is long. */
const longBytes = 32 * 1024;

let isLong = false;

/**
 * JSON.stringify's text has to be copied to be sent. Where it is long, the bytes that Bun makes of it are free once they
 * are written, and the text at once; the text itself would wait for the collector, and the next one take new memory
 * (bench: json-100k). How long it is, nobody tells before: the last one's length does.
 */
export function lastWasLong(): boolean {
  return isLong;
}

/** To be told of each JSON that is sent. */
export function noteLength(bytes: number): void {
  isLong = bytes >= longBytes;
}

export function json(...args: unknown[]): Response {
  const [value] = args;
  if (typeof value === "object" && args.length === 1 && !isLong) {
    // Bun sends nothing of an object whose toJSON() gives nothing, but refuses other values of which there is no text.
    const text = nativeStringify(value) ?? "";
    noteLength(text.length);
    const response = new NativeResponse(text, pattern);
    markBody(response, text, jsonFields);
    return response;
  }
  const response = nativeJson.apply(NativeResponse, args);
  markBody(response, jsonInit, args.length === 1 ? jsonFields : null);
  return response;
}
