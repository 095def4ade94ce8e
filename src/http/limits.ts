/**
 * Bounds of a request and of its connection, in bytes unless the name says otherwise. Invariant: they apply as bytes
 * arrive. Whatever is limited is refused at the first byte over its limit, whether or not its end ever comes.
 */

/** Bounds that settings give. */
export interface Limits {
  /** The request line, without its CRLF. */
  readonly requestLine: number;
  /** How many field lines a head or a trailer section may have; dropped ones count. */
  readonly fields: number;
  /** One field line, with its CRLF and its folded lines. */
  readonly fieldSize: number;
}

/** Gunicorn's cap for limit_request_fields, and what 0 stands for. */
export const maxFields = 32768;

/** A chunk-size line, extensions included, without its CRLF. RFC 9112 §7.1.1: a server ought to limit extensions. */
export const maxChunkLineBytes = 1024;

/**
 * How far the extension bytes of a chunked body may run ahead of its data: small chunks with large extensions cost more
 * than their data is worth.
 */
export const maxChunkOverheadBytes = 16_384;

/** A whole trailer section. RFC 9112 §7.1.2 sets none; without one it could be sent for ever. */
export const maxTrailerBytes = 16_384;

/**
 * How many bytes may wait on one side of a connection before the other pauses: received ones that nobody reads, or
 * answers that the client doesn't take.
 */
export const highWaterBytes = 64 * 1024;

/** Limits from the settings of the same names, where 0 means unlimited (for fields: as many as Gunicorn ever takes). */
export function limitsFrom(settings: {
  readonly limitRequestLine: number;
  readonly limitRequestFields: number;
  readonly limitRequestFieldSize: number;
}): Limits {
  const { limitRequestLine, limitRequestFields, limitRequestFieldSize } = settings;
  return {
    requestLine: limitRequestLine === 0 ? Infinity : limitRequestLine,
    fields: limitRequestFields === 0 ? maxFields : Math.min(limitRequestFields, maxFields),
    fieldSize: limitRequestFieldSize === 0 ? Infinity : limitRequestFieldSize,
  };
}
