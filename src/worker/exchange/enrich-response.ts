/**
 * enrich_response: who has served a request, and when, in the answer itself. A JSON body becomes `{"res": BODY, "info":
 * FACTS}`; other answers say the same in header fields. Invariant: a body is wrapped whole, by what is known before its
 * first byte, so that a stream stays one and a length can be told.
 */
import { bodyInit, bodyKind, hasNoBody } from "../../http/response/globals/body.ts";
import { takeWhole } from "../../http/response/globals/direct-stream.ts";

/** Times in microseconds: the first two since 1970, the others long. Gunicorn's names. */
interface Facts {
  /** The worker was created. */
  readonly spawn: number;
  /** The worker began with the request. */
  readonly t1: number;
  /** The time until the app was called. */
  readonly d1: number;
  /** The time until it had an answer. */
  readonly d2: number;
  readonly pid: number;
  /** Requests of this worker, this one included. */
  readonly nr: number;
  /** The worker's max_requests, jitter included; 0 for none. */
  readonly max: number;
}

export class Enricher {
  readonly #spawnUs = Math.round(performance.timeOrigin * 1000);
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** Now, in microseconds since 1970. */
  nowUs(): number {
    return Math.round((performance.timeOrigin + performance.now()) * 1000);
  }

  /** Asks the app, and enriches what it answers. `startedUs`: when the worker began with the request, by nowUs(). */
  async ask(
    request: { readonly method: string; readonly startedUs: number; readonly nr: number },
    app: () => Response | Promise<Response>,
  ): Promise<Response> {
    const { method, startedUs, nr } = request;
    const calledUs = this.nowUs();
    const response = await app();
    // Whoever asks judges what is no Response, or none that can be sent.
    if (!(response instanceof Response) || response.status < 200) return response;
    const facts: Facts = {
      spawn: this.#spawnUs,
      t1: startedUs,
      d1: calledUs - startedUs,
      d2: this.nowUs() - calledUs,
      pid: process.pid,
      nr,
      max: this.#max,
    };
    return isPlainJson(response) ? wrap(response, facts, method) : label(response, facts);
  }
}

const jsonType = /^(?:application\/json|[^\s;]+\+json)\s*(?:;|$)/i;
const foreignCharset = /;\s*charset\s*=\s*(?!"?utf-8)/i;

/** A whole JSON text as it is: not encoded, no part of one, and none that ASCII can't stand around. */
function isPlainJson({ status, headers }: Response): boolean {
  if (hasNoBody(status)) return false;
  const type = headers.get("content-type");
  if (type === null || !jsonType.test(type) || foreignCharset.test(type)) return false;
  return !headers.has("content-encoding") && !headers.has("content-range");
}

async function wrap(response: Response, facts: Facts, method: string): Promise<Response> {
  const kind = bodyKind(bodyInit(response));
  const given = response.headers.get("content-length");
  if (kind === "none" || given === "0") return label(response, facts);
  const before = '{"res": ';
  const after = `, "info": ${formatInfo(facts)}}`;
  const headers = wrappedHeaders(response.headers);
  if (method === "HEAD") {
    // The facts of a GET would have other digits: its length can't be told (RFC 9110 §8.6).
    void response.body?.cancel().catch(() => {});
    return remake(response, new ReadableStream({}), headers);
  }
  if (kind === "stream" || kind === "blob") {
    const { body } = response;
    if (body === null) return label(response, facts);
    if (given !== null && /^[0-9]{1,15}$/.test(given)) {
      headers.set("content-length", String(Number(given) + before.length + after.length));
    }
    return remake(response, wrapStream(body, before, after), headers);
  }
  const bytes = withoutMark(await response.bytes());
  // No JSON at all.
  if (bytes.length === 0) return label(remake(response, null, response.headers), facts);
  return remake(response, Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]), headers);
}

/** RFC 8259 §8.1: a byte order mark may be ignored, and in the middle of a text it must not stand. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** Headers that spoke of the bytes of the body, which are others now. */
const ofOtherBytes = [
  "content-length",
  "content-md5",
  "content-digest",
  "repr-digest",
  "digest",
  "accept-ranges",
];

function wrappedHeaders(original: Headers): Headers {
  const headers = new Headers([...original]);
  for (const name of ofOtherBytes) headers.delete(name);
  const tag = headers.get("etag");
  // RFC 9110 §8.8.1: the bytes differ from answer to answer, what they mean doesn't.
  if (tag !== null && !tag.startsWith("W/")) headers.set("etag", `W/${tag}`);
  return headers;
}

/** The same stream with texts around it; an empty one stays empty. */
function wrapStream(
  body: ReadableStream<Uint8Array>,
  before: string,
  after: string,
): ReadableStream {
  takeWhole(body);
  const reader = body.getReader();
  let begun = false;
  const source = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const { done, value } = await reader.read();
      if (done) {
        if (begun) controller.enqueue(Buffer.from(after));
        controller.close();
        return;
      }
      if (!begun) controller.enqueue(Buffer.from(before));
      begun = true;
      controller.enqueue(typeof value === "string" ? Buffer.from(value) : value);
    },
    cancel: (reason: unknown) => reader.cancel(reason),
  };
  // Nothing is read ahead: the app may use its memory again when it is asked for more.
  return new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
}

/** The Server-Timing of the app itself: it may return one Response for many requests. */
const ownTimings = new WeakMap<Response, string>();

function label(response: Response, facts: Facts): Response {
  const { spawn, t1, d1, d2, pid, nr, max } = facts;
  // W3C Server Timing: dur is in milliseconds.
  const timing = `queue;dur=${d1 / 1000}, app;dur=${d2 / 1000}`;
  const worker = `pid=${pid}, nr=${nr}, max=${max}, spawn=${spawn}, t1=${t1}`;
  const own = ownTimings.get(response) ?? response.headers.get("server-timing") ?? "";
  ownTimings.set(response, own);
  const timings = own === "" ? timing : `${own}, ${timing}`;
  let labelled = response;
  try {
    labelled.headers.set("server-timing", timings);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Of fetch(): its headers can't be changed.
    labelled = remake(response, response.body, new Headers([...response.headers]));
    labelled.headers.set("server-timing", timings);
  }
  labelled.headers.set("x-worker", worker);
  return labelled;
}

function remake(
  { status, statusText }: Response,
  body: Bun.BodyInit | null,
  headers: Headers,
): Response {
  return new Response(body, { status, statusText, headers });
}

/** The facts as Python's json.dumps spells them. */
function formatInfo(facts: Facts): string {
  const members = Object.entries(facts).map(([name, value]) => `"${name}": ${value}`);
  return `{${members.join(", ")}}`;
}
