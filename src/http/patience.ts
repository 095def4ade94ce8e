/**
 * Whether what comes is still worth to be remembered: it costs a copy, which is lost where nothing comes again. After a
 * while in which nothing was found, two in a row are remembered now and then, so that what comes again is found by then.
 *
 * It counts what is found among several. That the very last one came again says nothing of the others, and costs a store
 * for each of pipelined requests.
 */
const patience = 32;

export class Patience {
  #strangers = 0;

  /** Something was found. */
  found(): void {
    this.#strangers = 0;
  }

  /** Something wasn't; whether to remember it. */
  missed(): boolean {
    this.#strangers += 1;
    return this.#strangers <= patience || this.#strangers % patience <= 1;
  }
}
