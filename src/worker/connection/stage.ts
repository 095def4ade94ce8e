/** What becomes of the next byte of a connection. */
export const reading = 0;
/** The request has been read, its answer isn't out: what comes is held. */
export const answering = 1;
/** The last answer is out: what comes is read and dropped, since a reset would destroy the answer (RFC 9112 §9.6). */
export const lingering = 2;
export const over = 3;

export type Stage = typeof reading | typeof answering | typeof lingering | typeof over;
