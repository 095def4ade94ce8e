/**
 * A worker class of one's own: SCGI (https://python.ca/scgi/protocol.txt), which nginx speaks by scgi_pass.
 *
 *     gunicorn-ts -k ./scgi.ts:ScgiServing -b unix:/run/app.sock hello:fetch
 *
 * A request is a netstring of fields and a body; the answer is a CGI response, and the connection ends with it.
 * Sockets, workers, signals, hooks, max_requests and the drain are the server's.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { RequestRecord, Serving, ServingContext } from "gunicorn-ts";

const mostHeaderBytes = 65_536;
const drainTurnMs = 5;

interface ScgiRequest {
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export class ScgiServing implements Serving {
  readonly #context: ServingContext;
  #servers: Server[] = [];

  constructor(context: ServingContext) {
    this.#context = context;
  }

  async listen(): Promise<void> {
    this.#servers = this.#context.listeners.map(() => {
      const serve = (socket: Socket): void => {
        // A client that has gone: there is nobody to tell.
        this.#serve(socket).catch(() => socket.destroy());
      };
      return createServer({ allowHalfOpen: true }, serve);
    });
    const listening = this.#servers.map((server, index) => {
      const { fd } = this.#context.listeners[index] ?? { fd: -1 };
      return new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen({ fd }, resolve);
      });
    });
    await Promise.all(listening);
  }

  /** Each answer ends its connection: there is nothing to announce. */
  windDown(): void {}

  async drain(): Promise<void> {
    // What waits in the queues was promised an answer.
    while (this.#context.hasWaiting()) await Bun.sleep(drainTurnMs);
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    await Promise.all(closed);
  }

  async #serve(socket: Socket): Promise<void> {
    const startedMs = performance.now();
    const received = await readRequest(socket);
    if (received === null) {
      socket.end("Status: 400 Bad Request\r\n\r\n");
      return;
    }
    const { handler, observers } = this.#context;
    const { fields } = received;
    const method = fields.get("REQUEST_METHOD") ?? "GET";
    const facts = { method, target: fields.get("REQUEST_URI") ?? "/" };
    const request = toRequest(received, facts.target);
    let response: Response | null = null;
    try {
      response = await handler.begin(facts, request, null);
    } catch (error) {
      response = await handler.fail(facts, error);
    }
    const answer = response ?? new Response("Internal Server Error", { status: 500 });
    try {
      const sent = await send(socket, answer, method === "HEAD");
      const durationUs = Math.round((performance.now() - startedMs) * 1000);
      const record = recordOf(facts, fields, answer, sent, durationUs);
      for (const observer of observers) observer.answered(record);
    } finally {
      handler.finish(facts, request, response);
    }
  }
}

/** Null for what isn't SCGI. */
async function readRequest(socket: Socket): Promise<ScgiRequest | null> {
  let received = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, chunk as Buffer]);
    const request = parse(received);
    if (request !== "more") return request;
  }
  return null;
}

/** `70:CONTENT_LENGTH\0` `27\0SCGI\0` `1\0...,` and the body. */
function parse(bytes: Buffer): ScgiRequest | "more" | null {
  const colon = bytes.indexOf(":");
  if (colon === -1) return bytes.length > 8 ? null : "more";
  const length = Number(bytes.toString("latin1", 0, colon));
  if (!Number.isSafeInteger(length) || length > mostHeaderBytes) return null;
  const end = colon + 1 + length;
  if (bytes.length <= end) return "more";
  const words = bytes.toString("latin1", colon + 1, end).split("\0");
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) fields.set(words[at] ?? "", words[at + 1] ?? "");
  const size = Number(fields.get("CONTENT_LENGTH"));
  if (bytes[end] !== 44 || !Number.isSafeInteger(size) || fields.get("SCGI") !== "1") return null;
  const body = bytes.subarray(end + 1);
  return body.length < size ? "more" : { fields, body: body.subarray(0, size) };
}

function toRequest({ fields, body }: ScgiRequest, target: string): Request {
  const headers = new Headers();
  for (const [name, value] of fields) {
    if (name.startsWith("HTTP_")) headers.append(name.slice(5).replaceAll("_", "-"), value);
  }
  const type = fields.get("CONTENT_TYPE");
  if (type !== undefined && type !== "") headers.set("content-type", type);
  const method = fields.get("REQUEST_METHOD") ?? "GET";
  const isBodiless = body.length === 0 || method === "GET" || method === "HEAD";
  const scheme = fields.get("HTTPS") === "on" ? "https" : "http";
  const url = `${scheme}://${headers.get("host") ?? "localhost"}${target}`;
  return new Request(url, { method, headers, body: isBodiless ? null : body });
}

/** Answers with the number of body bytes. */
async function send(socket: Socket, response: Response, isHead: boolean): Promise<number> {
  const lines = [`Status: ${response.status} ${response.statusText}`.trim()];
  for (const [name, value] of response.headers) lines.push(`${name}: ${value}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  let sent = 0;
  for await (const chunk of isHead ? [] : (response.body ?? [])) {
    sent += chunk.byteLength;
    const hasRoom = socket.write(chunk);
    if (!hasRoom)
      await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
  }
  // Also when the client has gone meanwhile.
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("close", () => resolve());
  socket.end(resolve);
  await promise;
  return sent;
}

function recordOf(
  { method, target }: { readonly method: string; readonly target: string },
  fields: ReadonlyMap<string, string>,
  response: Response,
  bodyBytes: number,
  durationUs: number,
): RequestRecord {
  const protocol = fields.get("SERVER_PROTOCOL") ?? "";
  const clientAddress = fields.get("REMOTE_ADDR") ?? "";
  const environ = (name: string): string | null => fields.get(name) ?? null;
  return {
    method,
    target,
    protocol,
    clientAddress,
    bodyBytes,
    durationUs,
    environ,
    status: response.status,
    requestHeader: (name) => environ(`HTTP_${name.replaceAll("-", "_").toUpperCase()}`),
    responseHeader: (name) => response.headers.get(name),
  };
}
