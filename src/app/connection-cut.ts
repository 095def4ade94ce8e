/** Thrown in place of an answer by an app that has closed its client's connection, as a node listener can. */
export class ConnectionCut extends Error {
  constructor() {
    super("The app has closed the connection instead of answering");
  }
}
