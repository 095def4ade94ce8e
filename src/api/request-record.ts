/** What telemetry may know about one answered request, whatever worker class has received it. */

import type { Trace } from "./trace.ts";

/**
 * One object may serve request after request: whoever needs a value later copies it. Texts of the request are Latin-1,
 * one character for each byte that was received.
 */
export interface RequestRecord {
  /** The method as it was sent; empty if the request was refused before it was known. */
  readonly method: string;
  /**
   * The raw target; empty if it isn't known. Of a request line that can't be read it is the line itself, as much as has
   * come: method and protocol are empty then.
   */
  readonly target: string;
  /** `HTTP/1.1`; empty if it isn't known. */
  readonly protocol: string;
  /** The client's address: the peer's, or the one that a PROXY header names; empty on a unix socket. */
  readonly clientAddress: string;
  readonly status: number;
  /** Body bytes sent, framing not counted; -1 if nobody knows (worker_class serve, for streams). */
  readonly bodyBytes: number;
  /** The time from the complete head to the end of the answer; a whole number. */
  readonly durationUs: number;
  /** The last field of that name, which is in lower case; null if absent. */
  requestHeader(name: string): string | null;
  /** The field as the app has set it; null if absent. */
  responseHeader(name: string): string | null;
  /**
   * A CGI variable (RFC 3875) by its name in upper case: `REMOTE_PORT`, `HTTP_HOST`, `wsgi.url_scheme`; null if absent.
   */
  environ(name: string): string | null;
  /** The TLS of its connection to this server; null or absent without, and where nobody knows (worker_class serve). */
  readonly tls?: TlsFacts | null;
  /**
   * Of a head that comes again and again, byte by byte the same: what has been made of it before, by numbers of whoever
   * has made it. Null or absent: nobody keeps it.
   */
  readonly notes?: string[] | null;
  /** Its place in a trace; null or absent without otel_endpoint, or if the app wasn't asked. */
  readonly trace?: Trace | null;
}

/** The TLS that a connection speaks. */
export interface TlsFacts {
  /** `TLSv1.3`. */
  readonly version: string;
  /** As OpenSSL names it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /**
   * The subject of the client's certificate, as RFC 4514 writes it: `CN=client,O=Example`; one character for each byte
   * of its UTF-8. Null: it has sent none.
   */
  readonly clientSubject: string | null;
}

/** An observer is told of each request, when its answer is complete or has been given up. */
export interface RequestObserver {
  answered(request: RequestRecord): void;
}

/** The facts about a request that hooks and log lines need, whatever worker class has received it. */
export interface RequestFacts {
  readonly method: string;
  readonly target: string;
}
