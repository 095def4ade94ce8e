/** What the scoreboard holds of a worker: the table that rows, their accessors and the totals come from. */

/** What becomes of requests, in the order of the cells of `answers`: the class of the answer's status, or none was given. */
export const answerClasses = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** The upper bounds of the cells of `durations`, in seconds; one cell more counts what takes longer, and one is the sum. */
export const durationBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30, 60,
] as const;

/** The cell of `durations` with their sum, in microseconds. */
export const durationSumUs = durationBounds.length + 1;

/** The settings whose time ran out for a client, in the order of the cells of `timeouts`. */
export const clientTimeouts = ["header_timeout", "body_timeout", "write_timeout"] as const;

/** The cells of `bytes`. */
export const receivedBytes = 0;
export const sentBytes = 1;

interface Column {
  /**
   * A counter only goes up in a worker's life, and what it has counted outlives the worker in the totals; a gauge says
   * how things are now; what the bytes of a text mean is the matter of who writes and reads it.
   */
  readonly kind: "counter" | "gauge" | "text";
  /** One cell is a number, several are an array of them; of a text, eight bytes each. */
  readonly cells: number;
}

const gauge = { kind: "gauge", cells: 1 } as const;
const counter = { kind: "counter", cells: 1 } as const;

/** In their order; what is written most often stands together. */
export const columns = {
  /** Counts up while the worker's event loop runs; the master compares it, on its own clock. */
  beat: gauge,
  /** Requests handled since boot. */
  requests: counter,
  /** Requests being handled now. */
  inFlight: gauge,
  /** The newest request that the app was asked about, as newest-request.ts writes it. */
  newest: { kind: "text", cells: 16 },
  /** Connections open now. */
  connections: gauge,
  /** Of the engine's connections: what HTTP has received and sent, without what TLS adds. */
  bytes: { kind: "counter", cells: 2 },
  /** Connections that were accepted. */
  accepted: counter,
  /** Other workers that want what this one publishes; the master writes it. */
  audience: gauge,
  /** 1: it serves new connections, and others that share a socket with it may leave some to it; the master writes it. */
  takes: gauge,
  /** How late the last heartbeat was, in milliseconds: so long the event loop was busy. */
  loopDelayMs: gauge,
  /** The part of the last seconds in which the event loop was late, 0 to 1, measured while something comes. */
  lateness: gauge,
  /** Errors of the app that the log has been told of. */
  errors: counter,
  /** Requests that were refused before the app was asked, since it was behind: shed_latency_ms. */
  sheds: counter,
  /** Spans that no collector has got. */
  spansDropped: counter,
  /** What of a request's way ran out of time: see clientTimeouts. */
  timeouts: { kind: "counter", cells: clientTimeouts.length },
  /** Requests that have come to an end, by answerClasses, if they are measured. */
  answers: { kind: "counter", cells: answerClasses.length },
  /** How many took how long, by durationBounds, each in one cell; and at durationSumUs, how long all took together. */
  durations: { kind: "counter", cells: durationBounds.length + 2 },
} as const satisfies Record<string, Column>;
