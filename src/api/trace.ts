/** The place of a request in a distributed trace, by W3C Trace Context. */
export interface Trace {
  /** 32 hexadecimal digits, the client's own if it has sent a traceparent. */
  readonly traceId: string;
  /** Of this server's span, 16 hexadecimal digits: the parent of what the app calls. */
  readonly spanId: string;
  /** The client's span; null if it has sent none. */
  readonly parentId: string | null;
  /** The span is exported, and those of the services that are called are to be too. */
  readonly sampled: boolean;
  /** What to send to them as `traceparent`. */
  readonly traceparent: string;
  /** What to send to them as `tracestate`, as the client has sent it; empty: nothing. */
  readonly tracestate: string;
}
