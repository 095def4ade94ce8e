/**
 * How much one process may have sent to another that hasn't taken it yet: what a slow one doesn't take would otherwise
 * pile up in the memory of whoever sends. Pure.
 */

export interface Window {
  /** Bytes sent, and not known to be taken. */
  readonly outstanding: number;
  /** Messages dropped since it was full; 0 while all is sent. */
  readonly dropped: number;
}

/** As Bun's backpressureLimit, which bounds what a slow client hasn't read. */
export const windowBytes = 16 * 1024 * 1024;

export const emptyWindow: Window = { outstanding: 0, dropped: 0 };

/**
 * Messages that are to be sent: they are outstanding afterwards, or all dropped. Once it is full, everything is dropped
 * until half of it is free again, so that a burst is told once. What is longer than the whole window goes when nothing else
 * is under way.
 */
export function offer(window: Window, bytes: number, messages: number): Window {
  const { outstanding, dropped } = window;
  const fits = outstanding === 0 || outstanding + bytes <= windowBytes;
  if (dropped > 0 || !fits) return { outstanding, dropped: dropped + messages };
  return { outstanding: outstanding + bytes, dropped };
}

/** So many bytes have been taken; half a free window sends again, and begins to count anew. */
export function taken({ outstanding, dropped }: Window, bytes: number): Window {
  const left = Math.max(0, outstanding - bytes);
  return { outstanding: left, dropped: left <= windowBytes / 2 ? 0 : dropped };
}
