/** What the person who runs the bench can do something about: shown as one line, without a stack. */
export class BenchError extends Error {
  override readonly name: string = "BenchError";
}

/** A load generator ran and got no answer at all: the end of a turn, but nothing bad in a warm-up. */
export class NoAnswerError extends BenchError {
  override readonly name = "NoAnswerError";
}
