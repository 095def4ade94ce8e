/**
 * A node listener (req, res) as a fetch app: each request is written to Bun's own node:http, which listens on a unix socket of
 * this process and runs the listener, and what that answers comes back as a Response. Limits, timeouts, logs and the drain are
 * the worker's, as for every app.
 */
import { rawHead } from "../../http/request/request.ts";
import { pathOf } from "../../http/request/request-url.ts";
import type { ClientAddress } from "../server.ts";
import { clientField, describeClient } from "./client-field.ts";
import { Upstream } from "./upstream.ts";

/** What a server can say of whoever has sent a request. */
interface KnowsClients {
  requestIP(request: Request): ClientAddress | null;
}

/** Fields that are about the client's connection (RFC 9110 §7.6.1), or that the bridge says itself. */
const notPassed = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "content-length",
  "upgrade",
  "te",
  "trailer",
  // The worker sends 100 Continue when the body is read.
  "expect",
]);

/** A body up to this size is read whole, and goes out in one write with the head. */
const smallBytes = 65_536;

/** @param path of the unix socket that the listener's server listens on */
export function bridgeTo(path: string): (request: Request, server: unknown) => Promise<Response> {
  const upstream = new Upstream(path);
  return async (request, server) => {
    const client = (server as KnowsClients).requestIP(request);
    const { lines, length } = readFields(request);
    const isWhole = length !== null && length <= smallBytes && request.body !== null;
    const body = isWhole ? await request.bytes() : request.body;
    const framing = framingOf(body !== null, length);
    const isEncrypted = request.url.startsWith("https:");
    const told = `${clientField}: ${describeClient(client, isEncrypted)}\r\n\r\n`;
    const head = `${request.method} ${targetOf(request)} HTTP/1.1\r\n${lines}${framing}${told}`;
    return upstream.ask({
      head,
      body,
      chunked: body !== null && length === null,
      request,
    });
  };
}

function framingOf(hasBody: boolean, length: number | null): string {
  if (length !== null) return `Content-Length: ${hasBody ? length : 0}\r\n`;
  return hasBody ? "Transfer-Encoding: chunked\r\n" : "";
}

/** The fields that are passed on, as they were sent where the worker's own engine has read them, and the body's length. */
function readFields(request: Request): { readonly lines: string; readonly length: number | null } {
  let lines = "";
  let length: number | null = null;
  let hasHost = false;
  for (const [name, value] of fieldsOf(request)) {
    const lower = name.toLowerCase();
    if (lower === "content-length") length = Number(value);
    if (lower === "host") hasHost = true;
    if (!notPassed.has(lower)) lines += `${name}: ${value}\r\n`;
  }
  if (!hasHost) lines += `Host: ${new URL(request.url).host}\r\n`;
  return { lines, length };
}

function fieldsOf(request: Request): Iterable<readonly [string, string]> {
  const head = rawHead(request);
  if (head === null) return request.headers;
  const { text, fields, fieldCount } = head;
  const found: [string, string][] = [];
  for (let at = 0; at < 4 * fieldCount; at += 4)
    found.push([
      text.slice(fields[at], fields[at + 1]),
      text.slice(fields[at + 2], fields[at + 3]),
    ]);
  return found;
}

function targetOf(request: Request): string {
  const head = rawHead(request);
  if (head !== null) return head.targetForm === "asterisk" ? "*" : pathOf(head);
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}
