/** The states of a connection. One number tells what exclude each other. */

// Its life.
export const open = 0;
/** The last answer isn't written yet. */
export const closing = 1;
/** Another owner gets the socket as soon as the output is written. */
export const leaving = 2;
/** The last answer is out: what comes is read and dropped, since a reset would destroy the answer (RFC 9112 §9.6). */
export const lingering = 3;
export const over = 4;

export type Stage = typeof open | typeof closing | typeof leaving | typeof lingering | typeof over;

// Its turn.
export const resting = 0;
export const turning = 1;
/** Within the turn's write the protocol may have ended, or read again. */
export const stirred = 2;

export type Turn = typeof resting | typeof turning | typeof stirred;

// What its socket takes.
/** It has taken all. */
export const all = 0;
/** It has taken less than all: until it says so, a write would cost its time for nothing. */
export const full = 1;
/** It takes bytes again, and output was left at the last write. */
export const behind = 2;

export type Takes = typeof all | typeof full | typeof behind;
