/** What a worker class is: something that takes requests from sockets, and drains. */
import type { ConfigData } from "../config/data.ts";
import type { TlsSource } from "../tls/credentials.ts";
import type { Log } from "./log.ts";
import type { Trace } from "./trace.ts";
import type { RequestFacts, RequestObserver } from "./request-record.ts";

/** A listening socket as a worker gets it. */
export interface ListeningSocket {
  /** The master's descriptor, which the worker has inherited. */
  readonly fd: number;
  /** The address as it stands in the log: `http://127.0.0.1:8000`, `https://127.0.0.1:8443`, `unix:/run/app.sock`. */
  readonly url: string;
  readonly bound: BoundTo;
  /** All workers accept from it; else the slot's alone. */
  readonly shared: boolean;
  /** Connections to it begin with a TLS handshake. */
  readonly secure: boolean;
}

/** What a socket is bound to. The hostname is numeric; the path is absolute, or empty for a socket without a name. */
export type BoundTo =
  | { readonly type: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly type: "unix"; readonly path: string };

/** Answers a request by what the app says: a fetch, or the handler of a route. */
export type Fetch = (request: Request, server: unknown) => Response | Promise<Response>;

/**
 * An instance of a worker class. The worker makes it when the app is imported, and calls in this order: `listen` once;
 * `windDown` never, once or again, as `renewed`; `drain` once; `close` once, if it is there. A quick stop, or
 * graceful_timeout, ends the process between any two of them. What the constructor or `listen` throws ends the worker:
 * it fails to boot. The others must not throw or reject.
 */
export interface Serving {
  /** Starts to accept; returns or resolves when it does. */
  listen(): void | Promise<void>;
  /**
   * Asked four times a second. False: all that the class can do at a time has stood still since the last time. The
   * worker's heart doesn't beat then, and after `timeout` of that the master replaces it. A class without a bound
   * needn't have it.
   */
  moves?(): boolean;
  /**
   * The context's `tls.current` is another one now: new connections are to be served with it. Not called for a class of
   * the user's own, whose workers are replaced instead.
   */
  renewed?(): void;
  /** From now on answers say `Connection: close`; connections are still accepted. */
  windDown(): void;
  /**
   * Serves what the queues hold, stops accepting, and resolves when the last request is finished, and the last
   * connection has closed that brings requests.
   */
  drain(): Promise<void>;
  /**
   * Ends what connections are left, those that became something else by an upgrade. It is called behind `drain`, when the
   * app has cleaned up, and need not be there.
   */
  close?(): Promise<void>;
}

/** What a worker class gets to serve with, by its constructor. */
export interface ServingContext {
  /** The worker's place, from 0 on. What concerns all workers alike is logged by the first. */
  readonly slot: number;
  /** How many workers there were to be when this one was born. */
  readonly numWorkers: number;
  readonly config: ConfigData;
  /** The master's sockets. For a class that opens its own, only `bound` counts: the master keeps the port. */
  readonly listeners: readonly ListeningSocket[];
  /** What the connections of secure listeners are to be served with; null: none of them is secure. */
  readonly tls: TlsSource | null;
  readonly handler: RequestHandler;
  /** What there is to serve, for a class that does more with it than to ask `handler`. */
  readonly app: ServedApp;
  readonly log: Log;
  /**
   * Who wants to know of each request: `answered` is called once for each, after its answer is out or has been given
   * up.
   */
  readonly observers: readonly RequestObserver[];
  /** Whether a connection waits at one of `listeners`. A class that stops before it has accepted them resets them. */
  hasWaiting(): boolean;
}

/** The app, as its module exports it. */
export interface ServedApp {
  /** For messages: `hello.ts: fetch`. */
  readonly describe: string;
  /** Uncounted and without hooks: `handler` is for requests. */
  readonly fetch: Fetch;
  /** The object that it comes from, options of Bun.serve; null for a function or a framework's app. */
  readonly options: Readonly<Record<string, unknown>> | null;
  /** Its `routes` and `websocket`, which `fetch` knows nothing of; null without them. */
  readonly routes: object | null;
  readonly websocket: object | null;
}

/** What `worker_class` names: MODULE:CLASS. */
export type ServingClass = new (context: ServingContext) => Serving;

/**
 * A request's way through hooks and app: `begin`; `fail` if that throws, rejects, or gives what can't be sent; then
 * `finish`, always, and once. It counts requests in flight, and asks for the worker's replacement at max_requests.
 */
export interface RequestHandler {
  /** Requests begun and not finished. */
  readonly inFlight: number;
  /**
   * Counts the request, calls preRequest and the app. `server` is the app's second argument; `handle` is asked instead
   * of the app's own fetch. Throws and rejects with whatever hook or app do.
   */
  begin(
    facts: RequestFacts,
    request: Request,
    server: unknown,
    handle?: Fetch,
  ): Response | Promise<Response>;
  /**
   * Tells the failure in the error log, and gives what the app's error handler makes of it; null: answer a plain 500.
   * `message` says why what the app has returned can't be sent; `error` may be null then. Never rejects.
   */
  fail(facts: RequestFacts, error: unknown, message?: string): Promise<Response | null>;
  /** Calls postRequest, which doesn't throw here; `response` is null when none could be made. */
  finish(facts: RequestFacts, request: Request, response: Response | null): void;
  /** The trace of a request that has begun, for its record; null without otel_endpoint. */
  trace(request: Request): Trace | null;
  /** Writes one line about what an app got wrong, with the stack if there is an error. */
  complain(facts: RequestFacts, message: string, error?: unknown): void;
}
