/**
 * The states of an exchange, in an order: from `superseded` on, the connection waits for nothing of it.
 *
 * | state      | what has happened                              | what may follow                                    |
 * | ---------- | ---------------------------------------------- | -------------------------------------------------- |
 * | reading    | the head has come, perhaps some of the body    | asked or waiting: enough has come; superseded      |
 * | waiting    | enough has come, and it isn't its turn         | asked: its turn; superseded; done: the client left |
 * | asked      | the app is at work, or its error handler       | answering: by a stream; done: at once, or never    |
 * | answering  | a pump copies the stream of the answer         | done; asked: it failed before a byte was out       |
 * | superseded | the connection has answered instead of the app | done: the app has come to an end                   |
 * | upgraded   | the connection is no HTTP any more             | done: the app has come to an end                   |
 * | done       | the answer is out, or there won't be one       | nothing; the rest of the body may be read          |
 */

export const reading = 0;
export const waiting = 1;
export const asked = 2;
export const answering = 3;
export const superseded = 4;
export const upgraded = 5;
export const done = 6;

export type State =
  | typeof reading
  | typeof waiting
  | typeof asked
  | typeof answering
  | typeof superseded
  | typeof upgraded
  | typeof done;
